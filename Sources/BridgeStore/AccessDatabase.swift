package import BridgeAccess
import GRDB
import Glibc
import NIOPosix
import Synchronization

/// Tokens, budgets and the audit in one SQLite file, on one thread of its own. Several processes may have it open.
///
/// What fails has changed nothing, and says why; the next attempt opens the file anew where that may help. So it goes on by
/// itself when somebody has mended what was wrong.
package final class AccessDatabase: Sendable {
    package struct Options: Sendable {
        /// How long a lock of another program is waited for.
        package var lockWait: Duration = .seconds(2)
        /// Requests that may wait for the thread.
        package var queueLimit = 4_096
        /// Of the file; nil: as much as the disk holds.
        package var maximumPages: Int?
        /// The time of day, in microseconds since 1970. It is asked while the file is locked: whoever takes of a limit after
        /// somebody else does so later.
        package var clock: @Sendable () -> Int64 = Options.timeOfDay

        package init() {}

        private static func timeOfDay() -> Int64 {
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
        }
    }

    /// Of the key that tokens' secrets are hashed with; nil: any.
    let mark: TokenHash?
    let path: String
    let clock: @Sendable () -> Int64
    private let connection: Connection
    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let queueLimit: Int
    private let waiting = Atomic<Int>(0)

    /// - Parameters:
    ///   - path: of a file that is made, with mode 0600, when it is first needed.
    ///   - mark: of the key that tokens' secrets are hashed with.
    package init(path: String, mark: TokenHash? = nil, options: Options = Options()) {
        self.path = path
        self.mark = mark
        self.clock = options.clock
        self.connection = Connection(DatabaseFile(path: path, options: options))
        self.queueLimit = options.queueLimit
        self.thread.start()
    }

    /// Does what has been asked for, closes the file, and calls back on any thread. What is asked later is refused.
    package func close(_ done: @escaping @Sendable () -> Void) {
        let connection = self.connection
        let thread = self.thread
        thread.submit { _ in
            connection.close()
            thread.shutdownGracefully { _ in done() }
        }
    }

    /// Does one thing after the other, each of them soon: what takes long comes in pieces. Answers on the thread.
    func perform<Value>(
        _ answer: @escaping StoreAnswer<Value>, _ job: @escaping @Sendable (DatabaseQueue) throws -> Value
    ) {
        guard self.waiting.wrappingAdd(1, ordering: .relaxed).newValue <= self.queueLimit else {
            self.waiting.wrappingSubtract(1, ordering: .relaxed)
            return answer(.failure(StoreTrouble(.busy, "The store has more to do than it can take.")))
        }
        self.thread.submit { state in
            self.waiting.wrappingSubtract(1, ordering: .relaxed)
            guard case .active = state else {
                return answer(.failure(StoreTrouble(.unreachable, "The store has been closed.")))
            }
            answer(self.connection.use(job))
        }
    }
}

/// The file while it is open.
///
/// `@unchecked`: it is used on the one thread of ``AccessDatabase`` only.
private final class Connection: @unchecked Sendable {
    private let file: DatabaseFile
    private var open: (queue: DatabaseQueue, identity: DatabaseFile.Identity?)?

    init(_ file: DatabaseFile) { self.file = file }

    func use<Value>(_ job: (DatabaseQueue) throws -> Value) -> Result<Value, StoreTrouble> {
        do {
            return .success(try job(self.queue()))
        } catch {
            let trouble = self.file.trouble(error)
            switch trouble.kind {
            case .corrupt, .readOnly, .laterVersion, .unreachable: self.close()
            case .full, .locked, .busy, .otherKey: break
            }
            return .failure(trouble)
        }
    }

    func close() {
        try? self.open?.queue.close()
        self.open = nil
    }

    /// The one that is open, or a new one where another file has been put in its place.
    private func queue() throws -> DatabaseQueue {
        if let open, open.identity == self.file.identity, open.identity != nil { return open.queue }
        self.close()
        let queue = try self.file.open()
        self.open = (queue, self.file.identity)
        return queue
    }
}

import BridgeAccess
import GRDB
import NIOPosix
import Synchronization

/// One connection to the file, and the thread that it is used on.
final class DatabaseLane: Sendable {
    private let connection: Connection
    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let queueLimit: Int
    private let waiting = Atomic<Int>(0)

    init(path: String, options: AccessDatabase.Options) {
        self.connection = Connection(DatabaseFile(path: path, options: options))
        self.queueLimit = options.queueLimit
        self.thread.start()
    }

    /// Does one thing after the other. Answers on the thread.
    ///
    /// - Parameter nothing: the answer where there is no file, and none is made for it; nil: one is made.
    func perform<Value: Sendable>(
        _ answer: @escaping StoreAnswer<Value>, without nothing: Value? = nil,
        _ job: @escaping @Sendable (DatabaseQueue) throws -> Value
    ) {
        guard self.waiting.wrappingAdd(1, ordering: .relaxed).newValue <= self.queueLimit else {
            self.waiting.wrappingSubtract(1, ordering: .relaxed)
            return answer(.failure(StoreTrouble(.busy, "The store has more to do than it can take.")))
        }
        self.thread.submit { state in
            self.waiting.wrappingSubtract(1, ordering: .relaxed)
            guard case .active = state else {
                return answer(.failure(.closed))
            }
            answer(self.connection.use(without: nothing, job))
        }
    }

    /// Calls back when all is done that has been asked for, on the thread.
    func afterwards(_ done: @escaping @Sendable () -> Void) { self.thread.submit { _ in done() } }

    /// Closes the connection, and calls back on any thread.
    ///
    /// - Parameter isHurried: what is being done is not finished, and what has been asked for is refused.
    func close(isHurried: Bool = false, _ done: @escaping @Sendable () -> Void) {
        if isHurried { self.connection.hurry.begin() }
        self.thread.submit { _ in
            self.connection.close()
            self.thread.shutdownGracefully { _ in done() }
        }
    }
}

/// The file while it is open. It is used on the one thread of a ``DatabaseLane`` only, but for ``hurry``.
private final class Connection: Sendable {
    private struct Open {
        let queue: DatabaseQueue
        let identity: DatabaseFile.Identity?
    }

    let hurry = Hurry()
    private let file: DatabaseFile
    private let state = Mutex<Open?>(nil)

    init(_ file: DatabaseFile) { self.file = file }

    func use<Value>(without nothing: Value?, _ job: (DatabaseQueue) throws -> Value) -> Result<Value, StoreTrouble> {
        do {
            if let nothing, self.file.isMissing {
                self.close()
                guard !self.hurry.isWanted else { throw StoreTrouble.closed }
                return .success(nothing)
            }
            let queue = try self.queue()
            guard !self.hurry.isWanted else { throw StoreTrouble.closed }
            return .success(try job(queue))
        } catch {
            let trouble = self.hurry.isWanted ? .closed : self.file.trouble(error)
            switch trouble.kind {
            case .corrupt, .readOnly, .laterVersion, .unreachable: self.close()
            case .full, .locked, .busy, .otherKey: break
            }
            return .failure(trouble)
        }
    }

    func close() {
        let open = self.state.withLock { state in
            defer { state = nil }
            return state
        }
        try? open?.queue.close()
    }

    /// The one that is open, or a new one where another file has been put in its place.
    private func queue() throws -> DatabaseQueue {
        let known = self.state.withLock { $0 }
        if let known, known.identity == self.file.identity, known.identity != nil { return known.queue }
        self.close()
        let queue = try self.file.open(self.hurry)
        let identity = self.file.identity
        self.state.withLock { $0 = Open(queue: queue, identity: identity) }
        return queue
    }
}

extension StoreTrouble {
    fileprivate static let closed = StoreTrouble(.unreachable, "The store has been closed.")
}

package import BridgeAccess
import GRDB
import Glibc

/// Tokens, budgets and the audit in one SQLite file, on threads of its own. Several processes may have it open.
///
/// What fails has changed nothing, and says why; the next attempt opens the file anew where that may help. So it goes on by
/// itself when somebody has mended what was wrong.
package final class AccessDatabase: Sendable {
    package struct Options: Sendable {
        /// How long a lock of another program is waited for.
        package var lockWait: Duration = .seconds(2)
        /// Requests that may wait for each of the two threads.
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
    private let main: DatabaseLane
    /// For what may take long and changes nothing.
    private let reading: DatabaseLane

    /// - Parameters:
    ///   - path: of a file that is made, with mode 0600, when it is first needed.
    ///   - mark: of the key that tokens' secrets are hashed with.
    package init(path: String, mark: TokenHash? = nil, options: Options = Options()) {
        self.path = path
        self.mark = mark
        self.clock = options.clock
        self.main = DatabaseLane(path: path, options: options)
        self.reading = DatabaseLane(path: path, options: options)
    }

    /// Does what has been asked for, closes the file, and calls back on any thread. What is asked later is refused, and a long
    /// look at the audit ends early.
    package func close(_ done: @escaping @Sendable () -> Void) {
        let (main, reading) = (self.main, self.reading)
        // What has been asked for goes over to the reading, and ends there; who writes then tidies up.
        main.afterwards { reading.close(isHurried: true) { main.close(done) } }
    }

    /// Does one thing after the other, each of them soon: what takes long comes in pieces. Answers on the thread.
    ///
    /// - Parameter nothing: what there is to find where there is no file. Who only looks makes none: a service that nobody has
    ///   made a token for has nothing on the disk, and starts without writing there.
    func perform<Value: Sendable>(
        _ answer: @escaping StoreAnswer<Value>, without nothing: Value? = nil,
        _ job: @escaping @Sendable (DatabaseQueue) throws -> Value
    ) {
        self.main.perform(answer, without: nothing, job)
    }

    /// Looks at what may take long to read, with a connection of its own: nothing that is written waits for that, no token and
    /// no limit. What has been asked for before is seen, and what would keep that from being done keeps this, too.
    func look<Value: Sendable>(
        _ answer: @escaping StoreAnswer<Value>, without nothing: Value,
        _ job: @escaping @Sendable (Database) throws -> Value
    ) {
        let reading = self.reading
        let opened: StoreAnswer<Bool> = { result in
            switch result {
            case .success(true): reading.perform(answer, without: nothing) { queue in try queue.read(job) }
            case .success(false): answer(.success(nothing))
            case .failure(let trouble): answer(.failure(trouble))
            }
        }
        self.main.perform(opened, without: false) { _ in true }
    }
}

import GRDB
import GRDBSQLite
import Synchronization

/// Ends what a connection is doing, and what it is asked later.
final class Hurry: Sendable {
    private let flag = Atomic<Bool>(false)
    var isWanted: Bool { self.flag.load(ordering: .acquiring) }
    func begin() { self.flag.store(true, ordering: .releasing) }

    /// Has SQLite look at it while it works. To interrupt it is not enough: that ends what is being done at that moment only, and
    /// between two statements that is nothing.
    func watch(_ database: Database) {
        // `Unmanaged`: SQLite has no more than a pointer. It is good as long as the handler is called, since that ends with the
        // connection, and the connection's configuration holds this.
        sqlite3_progress_handler(
            database.sqliteConnection, 10_000,
            { context in
                guard let context else { return 0 }
                return Unmanaged<Hurry>.fromOpaque(context).takeUnretainedValue().isWanted ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}

import BridgeAccess
import BridgeFiles
import GRDB
import Glibc

/// One file of SQLite, how it is opened, and what its troubles are called.
struct DatabaseFile: Sendable {
    let path: String
    private let options: AccessDatabase.Options

    init(path: String, options: AccessDatabase.Options) {
        self.path = path
        self.options = options
    }

    /// Which file lies there: a copy that was put back is another one.
    struct Identity: Equatable {
        let device: UInt64
        let number: UInt64
    }

    var identity: Identity? {
        var status = stat()
        guard stat(self.path, &status) == 0 else { return nil }
        return Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    }

    /// Whether there is none where one could be made. Where a folder is missing, or takes nothing, something is wrong, and there
    /// may well be one.
    var isMissing: Bool {
        guard access(self.path, F_OK) != 0, errno == ENOENT else { return false }
        let folder = self.path.lastIndex(of: "/").map { String(self.path[...$0]) } ?? "."
        return access(folder, W_OK | X_OK) == 0
    }

    /// Makes the file where it is not there, and brings it to this version.
    ///
    /// Two processes may do so at once. One of them may have looked before the other and act after it: it is told that a table is
    /// missing, or there already, or that the other one is at it, and waits for none of that. So it looks again, as long as
    /// it would wait for a lock. What is damaged fails every time.
    ///
    /// - Parameter hurry: ends what the connection is doing.
    func open(_ hurry: Hurry) throws -> DatabaseQueue {
        try self.makeFile()
        let began = SuspendingClock.now
        while true {
            do {
                return try self.openOnce(hurry)
            } catch let error as DatabaseError where Self.mayPass(error) {
                guard SuspendingClock.now - began < self.options.lockWait else { throw error }
                usleep(2_000)
            }
        }
    }

    private static func mayPass(_ error: DatabaseError) -> Bool {
        switch error.resultCode {
        // The second of them is a table that was missing while the other one made it.
        case .SQLITE_ERROR, .SQLITE_SCHEMA, .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL: true
        default: false
        }
    }

    private func openOnce(_ hurry: Hurry) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(Double(self.options.lockWait / .seconds(1)))
        configuration.label = "access"
        let pages = self.options.maximumPages
        configuration.prepareDatabase { database in
            hurry.watch(database)
            // A process that is killed loses nothing. Tokens are written with more care.
            try database.execute(sql: "PRAGMA synchronous = NORMAL")
            if let pages { try database.execute(sql: "PRAGMA max_page_count = \(pages)") }
        }
        let queue = try DatabaseQueue(path: self.path, configuration: configuration)
        do {
            try Schema.prepare(queue, self.path)
        } catch {
            try? queue.close()
            throw error
        }
        return queue
    }

    /// SQLite makes files that everybody may read, and gives those beside it the mode of the first.
    private func makeFile() throws {
        do throws(SystemCallError) {
            // Several processes may do so at once.
            try PrivateFile.makeEmpty(self.path)
        } catch {
            // Where nothing can be written, the file may be there all the same.
            guard access(self.path, F_OK) == 0 else { throw error }
        }
        for suffix in ["", "-wal", "-shm"] { _ = try? PrivateFile.tighten(self.path + suffix) }
    }
}

extension DatabaseFile {
    /// What an error means for whoever runs the service.
    func trouble(_ error: any Error) -> StoreTrouble {
        switch error {
        case let trouble as StoreTrouble: return trouble
        case let error as SystemCallError: return self.trouble(error)
        case let error as DatabaseError: return self.trouble(error)
        default: return StoreTrouble(.unreachable, "\(self.path) cannot be used: \(error).")
        }
    }

    private func trouble(_ error: SystemCallError) -> StoreTrouble {
        switch error.code {
        case EROFS, EACCES, EPERM: self.readOnly
        case ENOSPC, EDQUOT, EFBIG: self.full
        default: StoreTrouble(.unreachable, "\(self.path) cannot be used: \(error).")
        }
    }

    private func trouble(_ error: DatabaseError) -> StoreTrouble {
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT, .SQLITE_SCHEMA, .SQLITE_ERROR, .SQLITE_MISMATCH:
            self.corrupt(error.message ?? "its content makes no sense")
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH: self.readOnly
        case .SQLITE_FULL: self.full
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            StoreTrouble(
                .locked,
                "Another program holds \(self.path). It is tried again; end that program if it does not let go.")
        case .SQLITE_CANTOPEN where access(self.path, R_OK | W_OK) != 0 && errno != ENOENT: self.readOnly
        default:
            StoreTrouble(
                .unreachable, "\(self.path) cannot be used: \(error.message ?? "error \(error.extendedResultCode)").")
        }
    }

    func corrupt(_ why: String) -> StoreTrouble {
        StoreTrouble(
            .corrupt,
            "\(self.path) is damaged (\(why)). Put a good copy in its place, or move it away: then all tokens have to be made "
                + "anew. The service goes on by itself.")
    }

    private var readOnly: StoreTrouble {
        StoreTrouble(
            .readOnly, "\(self.path) cannot be written. It and its folder must be writable for user \(geteuid()).")
    }

    private var full: StoreTrouble {
        StoreTrouble(.full, "There is no room for \(self.path). Make some on its disk; the service goes on by itself.")
    }
}

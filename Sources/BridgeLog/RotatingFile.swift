import BridgeFiles
import Glibc

/// A file of lines that moves aside when it is full: `log` becomes `log.1`, `log.1` becomes `log.2`, and so on.
///
/// Several processes may share one path. Each line is one `write` to a file opened for appending, so lines stay whole;
/// who rotates holds the file's lock, and everybody looks before each line whether the path still names the file they
/// have open.
package final class RotatingFile {
    package struct Settings: Hashable, Sendable {
        package var path: String
        /// A file of at least this size is moved aside before the next line.
        package var maximumBytes: Int
        /// How many old files are kept. 0: a full file is removed.
        package var backups: Int

        package init(path: String, maximumBytes: Int = 5 << 20, backups: Int = 5) {
            self.path = path
            self.maximumBytes = maximumBytes
            self.backups = backups
        }
    }

    private let settings: Settings
    private var descriptor: Int32 = -1

    /// Opens nothing yet.
    package init(_ settings: Settings) {
        self.settings = settings
    }

    deinit {
        self.close()
    }

    /// Appends the bytes of one line, after moving the file aside if it is full.
    ///
    /// Makes the file with mode 0600, and its folder with 0700, where they do not exist.
    package func append(_ line: some Sequence<UInt8>) throws(LogError) {
        var size = try self.open()
        if size >= self.settings.maximumBytes {
            try self.rotate()
            size = try self.open()
        }
        do throws(SystemCallError) {
            try DescriptorIO.write(line, to: self.descriptor)
        } catch {
            throw self.failure("write", error.code)
        }
    }

    /// Opens the file at the path unless it is open already.
    ///
    /// - Returns: its size; 0 for what is not a regular file, and so never rotated.
    private func open() throws(LogError) -> Int {
        var named = stat()
        let exists = stat(self.settings.path, &named) == 0
        if self.descriptor >= 0 {
            if exists, self.isOpen(named) { return self.size(named) }
            self.close()
        }
        if !exists { Self.makeFolder(of: self.settings.path) }
        // Not blocking: the path may name a FIFO that nobody reads.
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        self.descriptor = Glibc.open(self.settings.path, flags, 0o600)
        guard self.descriptor >= 0 else { throw self.failure("open", errno) }
        guard fstat(self.descriptor, &named) == 0 else { throw self.failure("open", errno) }
        return self.size(named)
    }

    /// Moves the files along, unless another process has just done it.
    private func rotate() throws(LogError) {
        while flock(self.descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw self.failure("lock", errno) }
        }
        // Closing gives the lock back.
        defer { self.close() }
        var named = stat()
        guard stat(self.settings.path, &named) == 0, self.isOpen(named), self.size(named) >= self.settings.maximumBytes
        else { return }
        guard self.settings.backups > 0 else {
            guard unlink(self.settings.path) == 0 else { throw self.failure("remove", errno) }
            return
        }
        for number in stride(from: self.settings.backups - 1, to: 0, by: -1) {
            rename("\(self.settings.path).\(number)", "\(self.settings.path).\(number + 1)")
        }
        guard rename(self.settings.path, "\(self.settings.path).1") == 0 else { throw self.failure("rotate", errno) }
    }

    private func close() {
        guard self.descriptor >= 0 else { return }
        _ = Glibc.close(self.descriptor)
        self.descriptor = -1
    }

    private func isOpen(_ named: stat) -> Bool {
        var held = stat()
        return fstat(self.descriptor, &held) == 0 && held.st_dev == named.st_dev && held.st_ino == named.st_ino
    }

    private func size(_ status: stat) -> Int {
        status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
    }

    private func failure(_ what: String, _ errorNumber: Int32) -> LogError {
        LogError(.file, "Cannot \(what) the log file \(self.settings.path)", errorNumber: errorNumber)
    }

    /// Fails silently: opening the file will say why.
    private static func makeFolder(of path: String) {
        var folder = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/").dropLast() {
            folder += "/" + part
            mkdir(folder, 0o700)
        }
    }
}

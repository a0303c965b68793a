import BridgeFiles
import CSpawn
import Glibc

/// A folder that one process has for itself: a lock of the kernel on a file in it, which ends with the process, however that
/// ends. Programs that the process starts do not have it.
///
/// The file says who has it, for people; nobody goes by that.
package struct FolderLock: Sendable {
    /// Another process has the folder.
    package struct Held: Error, CustomStringConvertible {
        package let folder: String
        /// As it has said of itself: its pid, and what it is. Empty when it has not said so yet.
        package let holder: String

        package var description: String {
            let who = self.holder.isEmpty ? "another bridge" : "another bridge: process \(self.holder)"
            return "\(self.folder) is in use by \(who)"
        }
    }

    private let descriptor: Int32

    /// The file that is locked. It stays when the process that had it has ended.
    package static func file(of folder: String) -> String { folder + "/lock" }

    /// - Parameters:
    ///   - folder: where the file `lock` lies or is made.
    ///   - words: what this process is.
    /// - Returns: nil where the file system has no locks.
    /// - Throws: ``Held``, or a ``SystemCallError``.
    package static func take(_ folder: String, as words: String) throws -> FolderLock? {
        try Self.take(file: Self.file(of: folder), of: folder, as: words)
    }

    /// The same for a moment: the file stays as it is, and has to be there.
    package static func takeUnsaid(_ folder: String) throws -> FolderLock? {
        try Self.take(file: Self.file(of: folder), of: folder, as: nil)
    }

    /// The same for what a file of its own stands for, and not a whole folder.
    ///
    /// - Parameter subject: what is locked, for ``Held``.
    package static func take(file path: String, of subject: String, as words: String?) throws -> FolderLock? {
        let descriptor = open(
            path, O_RDWR | (words == nil ? 0 : O_CREAT) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw SystemCallError("open", path) }
        guard cspawn_lock_file(descriptor) != 0 else {
            // Whoever had it may have taken the whole folder away meanwhile.
            guard Self.isStill(descriptor, at: path) else {
                close(descriptor)
                throw SystemCallError("lock", path, code: ENOENT)
            }
            // Without the words the lock is as good.
            if let words, ftruncate(descriptor, 0) == 0 {
                try? DescriptorIO.write("\(getpid()) \(words)\n".utf8, to: descriptor)
            }
            return FolderLock(descriptor: descriptor)
        }
        let code = errno
        defer { close(descriptor) }
        switch code {
        case EAGAIN, EACCES: throw Held(folder: subject, holder: Self.holder(descriptor))
        case ENOLCK, ENOTSUP, ENOSYS, EINVAL: return nil
        default: throw SystemCallError("lock", path, code: code)
        }
    }

    package func release() {
        // Not by closing alone: until it starts its program, a process that is being forked holds the lock as well.
        _ = cspawn_unlock_file(self.descriptor)
        close(self.descriptor)
    }

    private static func isStill(_ descriptor: Int32, at path: String) -> Bool {
        var (held, named) = (stat(), stat())
        guard fstat(descriptor, &held) == 0, lstat(path, &named) == 0 else { return false }
        return held.st_dev == named.st_dev && held.st_ino == named.st_ino
    }

    /// What the file says. Not what somebody else than the holder has left in it.
    private static func holder(_ descriptor: Int32) -> String {
        var room = [UInt8](repeating: 0, count: 512)
        let count = pread(descriptor, &room, room.count, 0)
        let line = String(decoding: room[..<max(0, count)].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        let words = line.split(separator: " ", maxSplits: 1)
        guard let pid = words.first.flatMap({ Int32($0) }), pid > 0, kill(pid, 0) == 0 || errno == EPERM else {
            return ""
        }
        return words.count > 1 ? "\(pid) (\(words[1]))" : "\(pid)"
    }
}

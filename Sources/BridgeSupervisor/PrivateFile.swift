package import BridgeProcess
import Glibc
package import NIOCore

/// Small files that only this user may read.
package enum PrivateFile {
    /// The file's bytes; nil where there is no such file. What is no regular file, such as a pipe that nobody writes to, is
    /// refused and not waited for.
    ///
    /// - Parameters:
    ///   - limit: of its size in bytes; a larger file is `EFBIG`.
    ///   - acceptsPipes: whether a pipe is read, and waited for, all the same.
    package static func read(_ path: String, limit: Int, acceptsPipes: Bool = false) throws(SystemCallError)
        -> ByteBuffer?
    {
        let file = open(path, O_RDONLY | O_CLOEXEC | (acceptsPipes ? 0 : O_NONBLOCK))
        guard file >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw SystemCallError("open", path)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw SystemCallError("stat", path) }
        guard status.st_mode & S_IFMT == S_IFREG || (acceptsPipes && status.st_mode & S_IFMT == S_IFIFO) else {
            throw SystemCallError("not a regular file:", path, code: EINVAL)
        }
        var bytes = ByteBuffer()
        while true {
            var failure: Int32 = 0
            let count = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: 16 << 10) { room in
                let count = Glibc.read(file, room.baseAddress, room.count)
                if count < 0 { failure = errno }
                return max(0, count)
            }
            if failure == EINTR { continue }
            guard failure == 0 else { throw SystemCallError("read", path, code: failure) }
            guard bytes.readableBytes <= limit else { throw SystemCallError("read", path, code: EFBIG) }
            if count == 0 { return bytes }
        }
    }

    /// Takes away what others than this user may do with the file.
    ///
    /// - Returns: whether they could do anything. False where there is no such file.
    package static func tighten(_ path: String) throws(SystemCallError) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return false }
            throw SystemCallError("stat", path)
        }
        guard status.st_mode & 0o077 != 0 else { return false }
        guard chmod(path, 0o600) == 0 else { throw SystemCallError("chmod", path) }
        return true
    }

    /// Puts on the disk what a descriptor's file or folder holds: 0, or -1 and `errno`.
    typealias Sync = (_ descriptor: Int32) -> Int32

    /// Replaces the file, all or nothing, with mode 0600 from its first moment. It is on the disk when this returns.
    ///
    /// - Throws: also when the folder cannot be synced. Then the file has been replaced, and a power cut may undo it.
    package static func replace(_ path: String, with bytes: ByteBuffer) throws(SystemCallError) {
        try Self.replace(path, with: bytes, sync: { fsync($0) })
    }

    static func replace(_ path: String, with bytes: ByteBuffer, sync: Sync) throws(SystemCallError) {
        let temporary = "\(path).\(getpid()).tmp"
        unlink(temporary)
        try Self.write(temporary, bytes, sync)
        guard rename(temporary, path) == 0 else {
            let code = errno
            unlink(temporary)
            throw SystemCallError("rename", path, code: code)
        }
        try Self.syncFolder(of: path, sync)
    }

    /// Creates the file with all of its bytes or not at all, with mode 0600; `EEXIST` when it is there. It is on the disk when
    /// this returns.
    package static func create(_ path: String, _ bytes: ByteBuffer) throws(SystemCallError) {
        try Self.create(path, bytes, sync: { fsync($0) })
    }

    static func create(_ path: String, _ bytes: ByteBuffer, sync: Sync) throws(SystemCallError) {
        let temporary = "\(path).\(getpid()).tmp"
        unlink(temporary)
        try Self.write(temporary, bytes, sync)
        defer { unlink(temporary) }
        guard link(temporary, path) == 0 else { throw SystemCallError("link", path) }
        try Self.syncFolder(of: path, sync)
    }

    /// A file's name is an entry of its folder, and lasts only once that is on the disk too. Some file systems have no such
    /// thing, and say `EINVAL`.
    private static func syncFolder(of path: String, _ sync: Sync) throws(SystemCallError) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemCallError("open", folder) }
        defer { close(descriptor) }
        guard sync(descriptor) == 0 || errno == EINVAL else { throw SystemCallError("fsync", folder) }
    }

    /// Nothing is left of a file that could not be written whole.
    private static func write(_ path: String, _ bytes: ByteBuffer, _ sync: Sync) throws(SystemCallError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw SystemCallError("open", path) }
        defer { close(file) }
        do throws(SystemCallError) {
            var rest = bytes
            while rest.readableBytes > 0 {
                let count = rest.withUnsafeReadableBytes { Glibc.write(file, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw SystemCallError("write", path) }
                rest.moveReaderIndex(forwardBy: count)
            }
            guard sync(file) == 0 else { throw SystemCallError("fsync", path) }
        } catch {
            unlink(path)
            throw error
        }
    }

    /// Makes a directory of this user's alone, and those above it, unless they are there.
    package static func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws(SystemCallError) {
        var status = stat()
        if stat(path, &status) == 0 { return }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try Self.makeDirectory(String(path[..<slash]), mode: 0o755)
        }
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw SystemCallError("mkdir", path) }
    }
}

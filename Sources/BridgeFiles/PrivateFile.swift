import Glibc
import SystemPackage

/// Small files that only this user may read, each written by one process at a time.
package enum PrivateFile {
    /// Puts on the disk what a descriptor's file or folder holds: 0, or -1 and `errno`.
    typealias Sync = (_ descriptor: Int32) -> Int32

    /// Replaces the file, all or nothing, with mode 0600 from its first moment. It is on the disk when this returns.
    ///
    /// - Throws: also when the folder cannot be synced. Then the file has been replaced, and a power cut may undo it.
    package static func replace(_ path: String, with bytes: some Sequence<UInt8>) throws(SystemCallError) {
        try Self.replace(path, with: bytes, sync: { fsync($0) })
    }

    static func replace(_ path: String, with bytes: some Sequence<UInt8>, sync: Sync) throws(SystemCallError) {
        let temporary = try Self.writeBeside(path, bytes, sync)
        guard rename(temporary, path) == 0 else {
            let code = errno
            unlink(temporary)
            throw SystemCallError("rename", path, code: code)
        }
        try Self.syncFolder(of: path, sync)
    }

    /// Creates the file with all of its bytes or not at all, with mode 0600; `EEXIST` when it is there. It is on the disk when
    /// this returns.
    package static func create(_ path: String, _ bytes: some Sequence<UInt8>) throws(SystemCallError) {
        try Self.create(path, bytes, sync: { fsync($0) })
    }

    static func create(_ path: String, _ bytes: some Sequence<UInt8>, sync: Sync) throws(SystemCallError) {
        let temporary = try Self.writeBeside(path, bytes, sync)
        defer { unlink(temporary) }
        guard link(temporary, path) == 0 else { throw SystemCallError("link", path) }
        try Self.syncFolder(of: path, sync)
    }

    /// Makes an empty file with mode 0600 where there is none. One that is there is not even opened: with the descriptor's end
    /// this process would lose all locks that it has on the file.
    package static func makeEmpty(_ path: String) throws(SystemCallError) {
        let file: FileDescriptor
        do throws(SystemCallError) {
            file = try Self.open(path, .writeOnly, [.create, .exclusiveCreate, .closeOnExec])
        } catch {
            guard error.code == EEXIST else { throw error }
            return
        }
        defer { try? file.close() }
        try Self.syncFolder(of: path, { fsync($0) })
    }

    /// Appends to the file, which is made with mode 0600 where it is not there: all of the bytes, or none. They are on the
    /// disk when this returns.
    package static func append(_ path: String, _ bytes: some Sequence<UInt8>) throws(SystemCallError) {
        try Self.append(path, bytes, sync: { fdatasync($0) })
    }

    static func append(_ path: String, _ bytes: some Sequence<UInt8>, sync: Sync) throws(SystemCallError) {
        // Not blocking: a pipe that stands there is refused by the seek, and not waited for.
        let file = try Self.open(path, .writeOnly, [.append, .create, .closeOnExec, .nonBlocking])
        defer { try? file.close() }
        let end = try SystemCallError.naming("seek", path) { try file.seek(offset: 0, from: .end) }
        do throws(SystemCallError) {
            try DescriptorIO.write(bytes, to: file.rawValue, subject: path)
            guard sync(file.rawValue) == 0 else { throw SystemCallError("fsync", path) }
            // An empty one may have been made just now: without its name it would be lost in a power cut.
            if end == 0 { try Self.syncFolder(of: path, sync) }
        } catch {
            // Half a line would swallow the next one.
            try? file.resize(to: end)
            throw error
        }
    }

    /// Takes away what stands behind the first so many bytes; a full disk has room for that.
    package static func cut(_ path: String, to octets: Int) throws(SystemCallError) {
        guard truncate(path, off_t(octets)) == 0 else { throw SystemCallError("truncate", path) }
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

    /// Makes a directory of this user's alone, and those above it, unless they are there.
    package static func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws(SystemCallError) {
        var status = stat()
        if stat(path, &status) == 0 { return }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try Self.makeDirectory(String(path[..<slash]), mode: 0o755)
        }
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw SystemCallError("mkdir", path) }
    }

    // MARK: Steps

    /// Writes a file of another name in the same folder; nothing is left of one that could not be written whole.
    ///
    /// - Returns: its path.
    private static func writeBeside(
        _ path: String, _ bytes: some Sequence<UInt8>, _ sync: Sync
    ) throws(SystemCallError) -> String {
        let temporary = "\(path).\(getpid()).tmp"
        unlink(temporary)
        let file = try Self.open(temporary, .writeOnly, [.create, .exclusiveCreate, .closeOnExec, .noFollow])
        defer { try? file.close() }
        do throws(SystemCallError) {
            try DescriptorIO.write(bytes, to: file.rawValue, subject: temporary)
            guard sync(file.rawValue) == 0 else { throw SystemCallError("fsync", temporary) }
        } catch {
            unlink(temporary)
            throw error
        }
        return temporary
    }

    private static func open(
        _ path: String, _ mode: FileDescriptor.AccessMode, _ options: FileDescriptor.OpenOptions
    ) throws(SystemCallError) -> FileDescriptor {
        try SystemCallError.naming("open", path) {
            try FileDescriptor.open(path, mode, options: options, permissions: [.ownerReadWrite])
        }
    }

    /// A file's name is an entry of its folder, and lasts only once that is on the disk too. Some file systems have no such
    /// thing, and say `EINVAL`.
    private static func syncFolder(of path: String, _ sync: Sync) throws(SystemCallError) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = try Self.open(folder, .readOnly, [.directory, .closeOnExec])
        defer { try? descriptor.close() }
        guard sync(descriptor.rawValue) == 0 || errno == EINVAL else { throw SystemCallError("fsync", folder) }
    }
}

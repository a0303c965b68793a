import Glibc
import SystemPackage

/// Files that are read whole, and are not waited for.
package enum WholeFile {
    /// The file's bytes. What is no regular file, such as a folder or a pipe that nobody writes to, is refused.
    ///
    /// - Parameters:
    ///   - limit: of its size in bytes; a larger file is `EFBIG`.
    ///   - acceptsPipes: whether a pipe is read, and waited for, all the same.
    package static func read(_ path: String, limit: Int, acceptsPipes: Bool = false) throws(SystemCallError) -> [UInt8]
    {
        let options: FileDescriptor.OpenOptions = acceptsPipes ? [.closeOnExec] : [.closeOnExec, .nonBlocking]
        let file = try SystemCallError.naming("open", path) {
            try FileDescriptor.open(path, .readOnly, options: options)
        }
        defer { try? file.close() }
        let kind = try SystemCallError.naming("stat", path) { try file.stat().type }
        guard kind == .regular || (acceptsPipes && kind == .fifo) else {
            throw SystemCallError("not a regular file:", path, code: EINVAL)
        }
        return try DescriptorIO.readToEnd(file.rawValue, limit: limit, subject: path)
    }

    /// The same; nil where there is no such file.
    package static func readIfPresent(
        _ path: String, limit: Int, acceptsPipes: Bool = false
    ) throws(SystemCallError) -> [UInt8]? {
        do throws(SystemCallError) {
            return try Self.read(path, limit: limit, acceptsPipes: acceptsPipes)
        } catch {
            guard error.call == "open", error.code == ENOENT || error.code == ENOTDIR else { throw error }
            return nil
        }
    }
}

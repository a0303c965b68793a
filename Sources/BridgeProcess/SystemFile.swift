import BridgeFiles
import Glibc

/// The small files of /proc and /sys, which are read and written whole.
enum SystemFile {
    static func read(_ path: String) throws(SystemCallError) -> String {
        String(decoding: try WholeFile.read(path, limit: 64 << 20), as: UTF8.self)
    }

    /// One write(2): the kernel takes these files' contents in one piece or not at all.
    static func write(_ text: String, to path: String) throws(SystemCallError) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemCallError("open", path) }
        defer { close(descriptor) }
        let written = text.withCString { Glibc.write(descriptor, $0, text.utf8.count) }
        guard written == text.utf8.count else { throw SystemCallError("write", path) }
    }

    /// The names in a directory, without `.` and `..`.
    static func names(in path: String) throws(SystemCallError) -> [String] {
        guard let directory = opendir(path) else { throw SystemCallError("opendir", path) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}

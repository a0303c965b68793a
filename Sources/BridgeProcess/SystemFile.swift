import Glibc

/// The small files of /proc and /sys, which are read and written whole.
enum SystemFile {
    static func read(_ path: String) throws(SystemCallError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemCallError("open", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while true {
            let (chunk, code) = Self.chunk(of: descriptor)
            guard let chunk else { throw SystemCallError("read", path, code: code) }
            if chunk.isEmpty { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk
        }
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

    private static func chunk(of descriptor: CInt) -> ([UInt8]?, CInt) {
        var code: CInt = 0
        let chunk = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            var result: Int
            repeat {
                result = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            } while result < 0 && errno == EINTR
            code = result < 0 ? errno : 0
            count = max(0, result)
        }
        return (code == 0 ? chunk : nil, code)
    }
}

import Glibc

/// A folder of its own for a test's sockets and files, removed with all that is in it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/mcp-bridge-test.XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw SystemError("mkdtemp") }
        self.path = String(cString: made)
    }

    func file(_ name: String) -> String { self.path + "/" + name }

    deinit {
        guard let folder = opendir(self.path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { remove(self.file(name)) }
        }
        closedir(folder)
        rmdir(self.path)
    }
}

struct SystemError: Error {
    let call: String
    let number: Int32

    init(_ call: String) {
        self.call = call
        self.number = errno
    }
}

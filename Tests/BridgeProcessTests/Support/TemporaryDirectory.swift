import BridgeFiles
import Glibc

@testable import BridgeProcess

/// A directory that is gone after the test.
struct TemporaryDirectory: ~Copyable {
    let path: String

    init() throws {
        var template = Array("/tmp/bridge-process-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemCallError("mkdtemp") }
        self.path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    func file(_ name: String, _ text: String = "", mode: mode_t = 0o644) throws -> String {
        let path = "\(self.path)/\(name)"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw SystemCallError("open", path) }
        defer { close(descriptor) }
        _ = text.withCString { write(descriptor, $0, text.utf8.count) }
        fchmod(descriptor, mode)
        return path
    }

    deinit {
        Self.remove(self.path)
    }

    private static func remove(_ path: String) {
        for name in (try? SystemFile.names(in: path)) ?? [] {
            let entry = "\(path)/\(name)"
            if unlink(entry) != 0 { Self.remove(entry) }
        }
        rmdir(path)
    }
}

import Foundation

/// A folder of its own for one test, short enough for a socket's address, removed with everything in it.
final class TemporaryFolder {
    let path = "/tmp/mcpb-test-\(UUID().uuidString.prefix(13))"

    init() throws {
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    func file(_ name: String) -> String { "\(self.path)/\(name)" }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(filePath: self.file(name)))
    }
}

extension TemporaryFolder {
    func read(_ name: String) -> String? {
        FileManager.default.contents(atPath: self.file(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self.path)) ?? []).sorted()
    }
}

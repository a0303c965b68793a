import Foundation
import Glibc
import Testing

@testable import BridgeFiles

@Suite("Appending to private files") struct AppendingTests {
    private static func inFolder(_ test: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "append-\(UUID().uuidString.prefix(8))"
        try PrivateFile.makeDirectory(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try test(folder + "/file")
    }

    @Test func `a file is made with its first line, for this user alone, and its name lasts`() throws {
        try Self.inFolder { path in
            var synced: [mode_t] = []
            let sync: PrivateFile.Sync = { descriptor in
                var status = stat()
                fstat(descriptor, &status)
                synced.append(status.st_mode & S_IFMT)
                return 0
            }
            try PrivateFile.append(path, "one\n".utf8, sync: sync)
            #expect(synced == [S_IFREG, S_IFDIR])
            try PrivateFile.append(path, "two\n".utf8, sync: sync)
            #expect(synced == [S_IFREG, S_IFDIR, S_IFREG])
            #expect(try WholeFile.read(path, limit: 100) == Array("one\ntwo\n".utf8))
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o7777 == 0o600)
        }
    }

    @Test func `of a line that cannot be put on the disk nothing stays`() throws {
        try Self.inFolder { path in
            try PrivateFile.append(path, "one\n".utf8)
            let failing: PrivateFile.Sync = { _ in
                errno = EIO
                return -1
            }
            let error = #expect(throws: SystemCallError.self) {
                try PrivateFile.append(path, "two\n".utf8, sync: failing)
            }
            #expect(error?.code == EIO)
            #expect(try WholeFile.read(path, limit: 100) == Array("one\n".utf8))
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a pipe in its place is refused, not waited for`() throws {
        try Self.inFolder { path in
            try #require(mkfifo(path, 0o600) == 0)
            #expect(throws: SystemCallError.self) { try PrivateFile.append(path, "one\n".utf8) }
        }
    }
}

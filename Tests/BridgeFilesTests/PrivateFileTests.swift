import Foundation
import Glibc
import Testing

@testable import BridgeFiles

@Suite("Private files") struct PrivateFileTests {
    private static func inFolder(_ test: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "private-\(UUID().uuidString.prefix(8))"
        try PrivateFile.makeDirectory(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try test(folder + "/file")
    }

    private static func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test func `an empty file is made where there is none, and locks on one that is there are kept`() throws {
        try Self.inFolder { path in
            try PrivateFile.makeEmpty(path)
            #expect(Self.mode(path) == 0o600)
            let descriptor = open(path, O_RDWR)
            defer { close(descriptor) }
            var lock = flock()
            lock.l_type = Int16(F_WRLCK)
            try #require(fcntl(descriptor, F_SETLK, &lock) == 0)
            try PrivateFile.makeEmpty(path)
            let locks = try String(contentsOfFile: "/proc/locks", encoding: .utf8)
            var status = stat()
            try #require(stat(path, &status) == 0)
            #expect(locks.split(separator: "\n").contains { $0.contains(":\(status.st_ino) ") }, "\(locks)")
        }
    }

    @Test func `a file is replaced whole, and nobody else reads it`() throws {
        try Self.inFolder { path in
            #expect(try WholeFile.readIfPresent(path, limit: 10) == nil)
            try PrivateFile.replace(path, with: Array("one".utf8))
            try PrivateFile.replace(path, with: Array("two".utf8))
            #expect(try WholeFile.readIfPresent(path, limit: 10) == Array("two".utf8))
            #expect(Self.mode(path) == 0o600)
            #expect(throws: (any Error).self) { try WholeFile.readIfPresent(path, limit: 2) }
        }
    }

    @Test func `a file that is there is not created again`() throws {
        try Self.inFolder { path in
            try PrivateFile.create(path, Array("one".utf8))
            #expect(throws: (any Error).self) { try PrivateFile.create(path, Array("two".utf8)) }
            #expect(try WholeFile.readIfPresent(path, limit: 10) == Array("one".utf8))
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a pipe or a directory in its place is refused, not waited for`() throws {
        try Self.inFolder { path in
            try #require(mkfifo(path, 0o600) == 0)
            #expect(throws: (any Error).self) { try WholeFile.readIfPresent(path, limit: 10) }
            unlink(path)
            try PrivateFile.makeDirectory(path)
            #expect(throws: (any Error).self) { try WholeFile.readIfPresent(path, limit: 10) }
        }
    }

    @Test func `a file that others could read is closed to them`() throws {
        try Self.inFolder { path in
            #expect(try PrivateFile.tighten(path) == false)
            try PrivateFile.replace(path, with: Array("key".utf8))
            #expect(try PrivateFile.tighten(path) == false)
            try #require(chmod(path, 0o644) == 0)
            #expect(try PrivateFile.tighten(path))
            #expect(Self.mode(path) == 0o600)
        }
    }

    @Test func `a file is on the disk when it has been written, and so is its name`() throws {
        try Self.inFolder { path in
            var synced: [mode_t] = []
            let sync: PrivateFile.Sync = { descriptor in
                var status = stat()
                fstat(descriptor, &status)
                synced.append(status.st_mode & S_IFMT)
                return fsync(descriptor)
            }
            try PrivateFile.create(path, Array("one".utf8), sync: sync)
            #expect(synced == [S_IFREG, S_IFDIR])
            try PrivateFile.replace(path, with: Array("two".utf8), sync: sync)
            #expect(synced == [S_IFREG, S_IFDIR, S_IFREG, S_IFDIR])
        }
    }

    @Test(arguments: [(EINVAL, true), (EIO, false)])
    func `a folder that cannot be synced at all is no failure, one that fails to be is`(
        code: Int32, isFine: Bool
    ) throws {
        try Self.inFolder { path in
            let sync: PrivateFile.Sync = { descriptor in
                var status = stat()
                fstat(descriptor, &status)
                guard status.st_mode & S_IFMT == S_IFDIR else { return 0 }
                errno = code
                return -1
            }
            var hasSucceeded = true
            do { try PrivateFile.replace(path, with: Array("x".utf8), sync: sync) } catch {
                hasSucceeded = false
            }
            #expect(hasSucceeded == isFine)
        }
    }
}

import Glibc
import Testing

@testable import BridgeProcess

@Suite("A folder held by one process") struct FolderLockTests {
    @Test func `the second to want it is told who has it`() throws {
        let directory = try TemporaryDirectory()
        let lock = try #require(try FolderLock.take(directory.path, as: "first of two"))
        let refused = #expect(throws: FolderLock.Held.self) {
            _ = try FolderLock.take(directory.path, as: "second of two")
        }
        #expect(
            refused?.description == "\(directory.path) is in use by another bridge: process \(getpid()) (first of two)")
        lock.release()
        try #require(try FolderLock.take(directory.path, as: "second of two")).release()
    }

    @Test func `what an ended process has left in the file is not taken for the holder`() throws {
        let directory = try TemporaryDirectory()
        let lock = try #require(try FolderLock.take(directory.path, as: "holder"))
        defer { lock.release() }
        // No process can have this number.
        let file = open("\(directory.path)/lock", O_WRONLY | O_TRUNC)
        _ = write(file, "4194305 somebody\n", 17)
        close(file)
        let refused = #expect(throws: FolderLock.Held.self) { _ = try FolderLock.take(directory.path, as: "x") }
        #expect(refused?.holder == "")
    }

    @Test func `programs that are started do not have it`() throws {
        let directory = try TemporaryDirectory()
        let before = Self.openDescriptors()
        let lock = try #require(try FolderLock.take(directory.path, as: "x"))
        defer { lock.release() }
        for descriptor in Self.openDescriptors().subtracting(before) {
            #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        }
    }

    private static func openDescriptors() -> Set<Int32> { Set((0..<1_024).filter { fcntl($0, F_GETFD) >= 0 }) }
}

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
        let lock = try #require(try FolderLock.take(directory.path, as: "x"))
        defer { lock.release() }
        var file = stat()
        try #require(stat(FolderLock.file(of: directory.path), &file) == 0)
        let descriptors = (0..<Int32(1_024)).filter { Self.isOpen($0, on: file) }
        #expect(!descriptors.isEmpty)
        for descriptor in descriptors { #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0) }
    }

    @Test func `whoever has been forked meanwhile does not hold what is released`() throws {
        let directory = try TemporaryDirectory()
        let lock = try #require(try FolderLock.take(directory.path, as: "x"))
        // As a child has it before it starts its program: another descriptor of the same description.
        var file = stat()
        try #require(stat(FolderLock.file(of: directory.path), &file) == 0)
        let held = try #require((0..<Int32(1_024)).first { Self.isOpen($0, on: file) })
        let copy = fcntl(held, F_DUPFD_CLOEXEC, 0)
        defer { close(copy) }
        lock.release()
        try #require(try FolderLock.take(directory.path, as: "y")).release()
    }

    private static func isOpen(_ descriptor: Int32, on file: stat) -> Bool {
        var found = stat()
        return fstat(descriptor, &found) == 0 && found.st_dev == file.st_dev && found.st_ino == file.st_ino
    }
}

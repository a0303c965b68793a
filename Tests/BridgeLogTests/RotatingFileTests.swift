import BridgeLog
import Foundation
import Glibc
import Testing

@Suite("Rotating log file")
struct RotatingFileTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func `a full file moves aside before the next line, and five old ones are kept`() throws {
        let folder = try TemporaryFolder()
        let file = RotatingFile(.init(path: folder.file("log"), maximumBytes: 10))
        // 10 bytes each: every file is full after one line.
        for number in 0..<8 { try file.append(self.bytes("line \(number)...\n")) }
        #expect(folder.names == ["log", "log.1", "log.2", "log.3", "log.4", "log.5"])
        #expect(folder.read("log") == "line 7...\n")
        for backup in 1...5 { #expect(folder.read("log.\(backup)") == "line \(7 - backup)...\n") }
    }

    @Test func `a file one byte short of full takes one more line, however long`() throws {
        let folder = try TemporaryFolder()
        let file = RotatingFile(.init(path: folder.file("log"), maximumBytes: 11))
        try file.append(self.bytes("line 0...\n"))
        try file.append(self.bytes("a line that is longer than a file may be\n"))
        #expect(folder.names == ["log"])
        try file.append(self.bytes("next\n"))
        #expect(folder.names == ["log", "log.1"])
        #expect(folder.read("log") == "next\n")
        #expect(folder.read("log.1") == "line 0...\na line that is longer than a file may be\n")
    }

    @Test func `old files move one by one, and a gap stays a gap`() throws {
        let folder = try TemporaryFolder()
        try folder.write(self.bytes("0123456789"), to: "log")
        try folder.write(self.bytes("two"), to: "log.2")
        try folder.write(self.bytes("five"), to: "log.5")
        try folder.write(self.bytes("six"), to: "log.6")
        try RotatingFile(.init(path: folder.file("log"), maximumBytes: 10)).append(self.bytes("new\n"))
        #expect(folder.names == ["log", "log.1", "log.3", "log.5", "log.6"])
        #expect(folder.read("log.1") == "0123456789")
        #expect(folder.read("log.3") == "two")
        #expect(folder.read("log.5") == "five")
        #expect(folder.read("log.6") == "six")
    }

    @Test func `with one backup, and with none`() throws {
        let folder = try TemporaryFolder()
        let one = RotatingFile(.init(path: folder.file("one"), maximumBytes: 1, backups: 1))
        let none = RotatingFile(.init(path: folder.file("none"), maximumBytes: 1, backups: 0))
        for number in 0..<3 {
            try one.append(self.bytes("\(number)\n"))
            try none.append(self.bytes("\(number)\n"))
        }
        #expect(folder.names == ["none", "one", "one.1"])
        #expect(folder.read("one") == "2\n" && folder.read("one.1") == "1\n" && folder.read("none") == "2\n")
    }

    @Test func `the file is its owner's alone, and its folder is made`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("var/log/bridge.log")
        try RotatingFile(.init(path: path)).append(self.bytes("x\n"))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(stat(folder.file("var/log"), &status) == 0 && status.st_mode & 0o777 == 0o700)
    }

    @Test func `a file that existed is appended to`() throws {
        let folder = try TemporaryFolder()
        try folder.write(self.bytes("old\n"), to: "log")
        try RotatingFile(.init(path: folder.file("log"))).append(self.bytes("new\n"))
        #expect(folder.read("log") == "old\nnew\n")
    }

    @Test func `a file that was moved or removed by somebody else is made anew`() throws {
        let folder = try TemporaryFolder()
        let file = RotatingFile(.init(path: folder.file("log")))
        try file.append(self.bytes("a\n"))
        rename(folder.file("log"), folder.file("moved"))
        try file.append(self.bytes("b\n"))
        unlink(folder.file("log"))
        try file.append(self.bytes("c\n"))
        #expect(folder.read("moved") == "a\n")
        #expect(folder.read("log") == "c\n")
    }

    @Test func `two that share a path rotate it once and lose no line`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("log")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    let file = RotatingFile(.init(path: path, maximumBytes: 1_000, backups: 100))
                    for number in 0..<500 { try file.append(Array("\(writer) \(number)\n".utf8)) }
                }
            }
            try await group.waitForAll()
        }
        let lines = folder.names.compactMap { folder.read($0) }.flatMap { $0.split(separator: "\n") }
        #expect(Set(lines).count == 2_000 && lines.count == 2_000)
        for name in folder.names where name != "log" { #expect((folder.read(name)?.utf8.count ?? 0) >= 1_000) }
    }

    @Test(.timeLimit(.minutes(1)))
    func `who waited for the lock does not rotate what another process has rotated`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("log")
        try folder.write(self.bytes("0123456789"), to: "log")
        let other = open(path, O_WRONLY)
        defer { close(other) }
        #expect(flock(other, LOCK_EX) == 0)
        var full = stat()
        fstat(other, &full)

        async let appended: Void = RotatingFile(.init(path: path, maximumBytes: 10)).append(Array("mine\n".utf8))
        while !Self.isWaitedFor(inode: full.st_ino) { await Task.yield() }
        rename(path, "\(path).1")
        try folder.write(self.bytes("other\n"), to: "log")
        flock(other, LOCK_UN)
        try await appended
        #expect(folder.names == ["log", "log.1"])
        #expect(folder.read("log") == "other\nmine\n")
        #expect(folder.read("log.1") == "0123456789")
    }

    /// Whether somebody waits for the lock of the file: `/proc/locks` marks the waiting with an arrow.
    private static func isWaitedFor(inode: UInt) -> Bool {
        let locks = (try? String(contentsOfFile: "/proc/locks", encoding: .utf8)) ?? ""
        return locks.split(separator: "\n").contains { $0.contains("->") && $0.contains(":\(inode) ") }
    }

    @Test func `a path that cannot be opened is an error, and the next line tries again`() throws {
        let folder = try TemporaryFolder()
        mkdir(folder.file("log"), 0o700)
        let file = RotatingFile(.init(path: folder.file("log")))
        let error = #expect(throws: LogError.self) { try file.append([0x0A]) }
        #expect(error?.errorNumber == EISDIR)
        rmdir(folder.file("log"))
        try file.append(self.bytes("now\n"))
        #expect(folder.read("log") == "now\n")
    }

    @Test func `a FIFO that nobody reads does not block`() throws {
        let folder = try TemporaryFolder()
        mkfifo(folder.file("log"), 0o600)
        let error = #expect(throws: LogError.self) { try RotatingFile(.init(path: folder.file("log"))).append([0x0A]) }
        #expect(error?.errorNumber == ENXIO)
    }

    @Test func `the sink writes one line for each record`() throws {
        let folder = try TemporaryFolder()
        var sink = JSONLinesSink(file: RotatingFile(.init(path: folder.file("log"))))
        sink.write(LogEntry(record("a")))
        sink.write(LogEntry(record("b\n")))
        let lines = folder.read("log")?.split(separator: "\n") ?? []
        #expect(lines.count == 2)
        #expect(lines.last?.hasSuffix(#""message":"b\n"}"#) == true)
    }
}

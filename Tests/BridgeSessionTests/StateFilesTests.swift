import BridgeCore
import BridgeFiles
import BridgeMCP
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import BridgeSession

/// What was said to be on the disk is there, whole and for this user alone. How that is done is ``BridgeFiles``'s.
@Suite("State files", .timeLimit(.minutes(2))) struct StateFilesTests {
    private let folder: TemporaryFolder
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    init() throws { self.folder = try TemporaryFolder() }

    private func files() throws -> StateFiles {
        let files = StateFiles(journalPath: self.folder.file("journal"), cachePath: self.folder.file("cache"))
        _ = try files.load(into: SessionLedger(), offerings: [.tools], now: 1)
        return files
    }

    @Test func `lines of the journal follow each other`() async throws {
        let files = try self.files()
        for line in ["1\n", "2\n"] { try await files.append(ByteBuffer(string: line), on: self.loop).get() }
        #expect(self.folder.read("journal") == "1\n2\n")
        #expect(self.folder.mode("journal") == 0o600)
    }

    @Test func `what replaces the journal is all of it, and later lines follow`() async throws {
        let files = try self.files()
        try await files.append(ByteBuffer(string: "old\n"), on: self.loop).get()
        try await files.replaceJournal(with: ByteBuffer(string: "new\n"), on: self.loop).get()
        try await files.append(ByteBuffer(string: "next\n"), on: self.loop).get()
        #expect(self.folder.read("journal") == "new\nnext\n")
    }

    @Test func `a journal is compacted when it is loaded`() throws {
        try self.folder.write("nonsense\n{\"s\":\"5\",\"x\":1,\"ended\":true}\nhalf a li", to: "journal")
        _ = try self.files()
        #expect(self.folder.read("journal") == "", "what has expired is not kept")
    }

    @Test func `half a line swallows no later one where the journal cannot be compacted`() async throws {
        try self.folder.write("a line\nhalf a li", to: "journal")
        // In the place of the file that would replace the journal, as if there were no room for it.
        guard mkdir(self.folder.file("journal.\(getpid()).tmp"), 0o700) == 0 else { throw SystemError("mkdir") }
        let files = try self.files()
        try await files.append(ByteBuffer(string: "the next\n"), on: self.loop).get()
        #expect(self.folder.read("journal") == "a line\nthe next\n")
    }

    @Test func `the tool cache is replaced, and says when`() async throws {
        let files = try self.files()
        try await files.replaceCache(
            with: CatalogueCache(of: [.tools]), updatedAt: "\(UTCTime(seconds: 1))", on: self.loop
        ).get()
        #expect(self.folder.read("cache")?.contains("1970-01-01T00:00:01.000Z") == true)
        #expect(self.folder.mode("cache") == 0o600)
    }

    @Test func `what cannot be written is told`() async throws {
        let files = try self.files()
        guard mkdir(self.folder.file("journal"), 0o700) == 0 else { throw SystemError("mkdir") }
        await #expect(throws: SystemCallError.self) {
            try await files.append(ByteBuffer(string: "1\n"), on: self.loop).get()
        }
        #expect(throws: SystemCallError.self, "and one that cannot be read is no empty one") { _ = try self.files() }
    }
}

import BridgeMCP
import Glibc
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import BridgeSession

/// What was said to be on the disk is there after a power cut: the bytes, and the name by which they are found.
@Suite("State files and the disk", .timeLimit(.minutes(2))) struct StateFilesTests {
    /// What was made to last, in its order, with what the journal held then.
    private struct Sync: Equatable {
        let isFolder: Bool
        let journal: String?
    }

    private let folder: TemporaryFolder
    private let loop = MultiThreadedEventLoopGroup.singleton.next()
    private let syncs = NIOLockedValueBox<[Sync]>([])

    init() throws { self.folder = try TemporaryFolder() }

    /// - Parameter folderFails: with which error number folders are not synced; zero where they are.
    private func files(folderFails: Int32 = 0) throws -> StateFiles {
        let (folder, syncs) = (self.folder, self.syncs)
        let files = StateFiles(
            journalPath: folder.file("journal"), cachePath: folder.file("cache"),
            syncing: .init(
                bytes: { file in
                    syncs.withLockedValue { $0.append(Sync(isFolder: false, journal: folder.read("journal"))) }
                    return fdatasync(file)
                },
                names: { directory in
                    var (there, wanted) = (stat(), stat())
                    guard fstat(directory, &there) == 0, stat(folder.path, &wanted) == 0, there.st_ino == wanted.st_ino
                    else { return 0 }
                    syncs.withLockedValue { $0.append(Sync(isFolder: true, journal: folder.read("journal"))) }
                    errno = folderFails
                    return folderFails == 0 ? fsync(directory) : -1
                }))
        _ = try files.load(into: SessionLedger(), offerings: [.tools], now: 0)
        return files
    }

    private func taken() -> [Sync] {
        self.syncs.withLockedValue { syncs in
            defer { syncs = [] }
            return syncs
        }
    }

    @Test func `a journal that begins is synced with its name, and then its bytes alone`() async throws {
        let files = try self.files()
        try await files.append(ByteBuffer(string: "1\n"), on: self.loop).get()
        #expect(self.taken() == [Sync(isFolder: false, journal: "1\n"), Sync(isFolder: true, journal: "1\n")])
        try await files.append(ByteBuffer(string: "2\n"), on: self.loop).get()
        #expect(self.taken() == [Sync(isFolder: false, journal: "1\n2\n")])
    }

    @Test func `what replaces the journal is whole before it has the name, and the name is synced after that`()
        async throws
    {
        try self.folder.write("old\n", to: "journal")
        let files = try self.files()
        #expect(self.taken() == [Sync(isFolder: false, journal: "old\n"), Sync(isFolder: true, journal: "")])
        try self.folder.write("old\n", to: "journal")
        try await files.replaceJournal(with: ByteBuffer(string: "new\n"), on: self.loop).get()
        #expect(self.taken() == [Sync(isFolder: false, journal: "old\n"), Sync(isFolder: true, journal: "new\n")])
    }

    @Test func `the tool cache is replaced in the same way`() async throws {
        let files = try self.files()
        try await files.replaceCache(with: CatalogueCache(of: [.tools]), updatedAt: "now", on: self.loop).get()
        #expect(self.taken().map(\.isFolder) == [false, true])
    }

    @Test func `what has no lasting name is not told to be on the disk, and is not there`() async throws {
        let files = try self.files(folderFails: EIO)
        for _ in 0..<2 {
            await #expect(throws: StateFiles.Failure.self) {
                try await files.append(ByteBuffer(string: "1\n"), on: self.loop).get()
            }
            #expect(self.folder.read("journal") == "")
        }
    }

    @Test func `a file system that has nothing to sync about a folder is as good`() async throws {
        let files = try self.files(folderFails: EINVAL)
        try await files.append(ByteBuffer(string: "1\n"), on: self.loop).get()
        #expect(self.folder.read("journal") == "1\n")
    }
}

import Glibc
import Testing

@testable import BridgeProcess

@Suite("Own folder") struct OwnFolderTests {
    @Test func `a folder of the user's is good, and one of root's`() throws {
        let folder = try TemporaryDirectory()
        #expect(OwnFolder.problem(at: folder.path, user: geteuid()) == nil)
        #expect(OwnFolder.problem(at: "/usr", user: 1_000) == nil)
    }

    @Test func `a folder of somebody else's is not`() throws {
        let folder = try TemporaryDirectory()
        // Only root can give it away; for others it is the one who asks that is another.
        let owner: uid_t = geteuid() == 0 ? 65_534 : geteuid()
        if geteuid() == 0 { #expect(chown(folder.path, owner, 0) == 0) }
        #expect(OwnFolder.problem(at: folder.path, user: 4_242) == .belongs(folder.path, to: owner))
        #expect(OwnFolder.problem(at: folder.path, user: owner) == nil)
    }

    @Test func `a link is not followed, whoever owns what it leads to`() throws {
        let folder = try TemporaryDirectory()
        let link = folder.path + "/link"
        #expect(symlink("/usr", link) == 0)
        #expect(OwnFolder.problem(at: link, user: geteuid()) == .notAFolder(link))
        unlink(link)
    }

    @Test func `where nothing is nobody can be met`() {
        #expect(OwnFolder.problem(at: "/nonexistent/folder", user: 4_242) == nil)
    }
}

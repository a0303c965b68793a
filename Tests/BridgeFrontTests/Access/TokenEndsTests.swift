import BridgeAccess
import BridgeCore
import BridgeLink
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import BridgeFront

@Suite("Tokens that are over for good") struct TokenEndsTests {
    private let loop = EmbeddedEventLoop()
    private let key = TokenKey.random()

    /// What the session worker is told, and how it answers.
    private final class Told {
        var principals: [String] = []
        var pending: [(Answer) -> Void] = []

        func answer(_ answer: Answer) {
            if self.pending.isEmpty {
                Issue.record("Nothing has been told.")
            } else {
                self.pending.removeFirst()(answer)
            }
        }
    }

    private func ends(_ told: Told) -> TokenEnds {
        TokenEnds(loop: self.loop, logger: Logger(label: "test")) { request, done in
            #expect(request.operation == .over)
            told.principals.append(request.principal)
            told.pending.append(done)
        }
    }

    private func token(_ name: String, expires: Int? = nil) throws -> Token {
        Token(
            id: .random(), name: name, scope: try TokenScope("mcp"), created: 1, expires: expires,
            hash: self.key.hash(.random()))
    }

    private func table(_ tokens: [Token]) -> TokenTable {
        var table = TokenTable(key: self.key)
        table.replaceAll(with: tokens)
        return table
    }

    private static let heard = Answer.ended(header: .emptyObject, payload: nil)

    @Test func `are told once each, those that were over before the front came too, and none that expires`() throws {
        var (old, revoked) = (try self.token("old"), try self.token("revoked"))
        let (gone, kept, expiring) = (try self.token("gone"), try self.token("kept"), try self.token("e", expires: 2))
        old.revoked = 1
        let told = Told()
        let ends = self.ends(told)
        ends.look(at: self.table([old, revoked, gone, kept, expiring]))
        #expect(told.principals == [old.id.principal])
        told.answer(Self.heard)
        told.principals = []
        revoked.revoked = 5
        ends.look(at: self.table([old, revoked, kept, expiring]))
        ends.look(at: self.table([old, revoked, kept, expiring]))
        #expect(told.principals.count == 1, "one after the other")
        told.answer(Self.heard)
        told.answer(Self.heard)
        #expect(Set(told.principals) == [revoked.id.principal, gone.id.principal] && told.principals.count == 2)
        #expect(told.pending.isEmpty)
    }

    @Test func `are told again until the session worker has heard it, and no more once the front ends`() throws {
        var token = try self.token("revoked")
        let told = Told()
        let ends = self.ends(told)
        ends.look(at: self.table([token]))
        token.revoked = 5
        ends.look(at: self.table([token]))
        told.answer(.failed(.linkLost(sent: true)))
        #expect(told.principals.count == 1)
        self.loop.advanceTime(by: .seconds(1))
        #expect(told.principals.count == 2)
        told.answer(.failed(.cancelled(reason: "stopping")))
        self.loop.advanceTime(by: .seconds(1))
        #expect(told.principals == Array(repeating: token.id.principal, count: 3))
        ends.close()
        told.answer(.failed(.linkLost(sent: false)))
        self.loop.advanceTime(by: .seconds(10))
        #expect(told.principals.count == 3)
    }
}

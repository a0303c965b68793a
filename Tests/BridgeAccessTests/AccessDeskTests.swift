import BridgeAccess
import Testing

@Suite("Commands about tokens") struct AccessDeskTests {
    private let desk = AccessDesk(key: .random(), rule: "remote")

    private func made(_ name: String, among tokens: [Token] = []) throws -> Token {
        guard
            case .write(let token, .issued(_, let secret, let rule)) =
                self.desk.decide(.create(TokenWish(name: name, scope: "mcp")), among: tokens, now: 100)
        else { throw AccessProblem("not made") }
        #expect(TokenSecret(secret) != nil && rule == "remote")
        return token
    }

    private func refusal(_ command: AccessCommand, _ tokens: [Token]) -> String? {
        guard case .answer(.refused(let word, let text)) = self.desk.decide(command, among: tokens, now: 200) else {
            return nil
        }
        #expect(word == "invalid")
        return text
    }

    @Test func `a token is found by its id, and by its name where that is plain`() throws {
        var first = try self.made("ci")
        #expect(self.refusal(.create(TokenWish(name: "ci", scope: "mcp")), [first])?.contains("'ci'") == true)
        first.revoked = 150
        let second = try self.made("ci", among: [first])
        guard case .revoke(let revoked, _) = self.desk.decide(.revoke("ci"), among: [first, second], now: 200) else {
            throw AccessProblem("not revoked")
        }
        #expect(revoked.id == second.id && revoked.revoked == 200)
        #expect(self.refusal(.show("ci"), [first, revoked])?.contains(first.id.text) == true)
        #expect(self.refusal(.show("nobody"), [first, second])?.contains("'nobody'") == true)
        #expect(self.refusal(.show(first.id.text), [first, second]) == nil)
    }

    @Test func `whoever is revoked twice is revoked since the first time`() throws {
        var token = try self.made("once")
        token.revoked = 120
        guard case .revoke(let again, _) = self.desk.decide(.revoke("once"), among: [token], now: 200) else {
            throw AccessProblem("not revoked")
        }
        #expect(again == token)
    }

    @Test func `a rotation keeps everything but the secret, and the old one as long as asked`() throws {
        let token = try self.made("kept")
        guard
            case .write(var rotated, .issued) = self.desk.decide(.rotate("kept", keepOld: 60), among: [token], now: 200)
        else { throw AccessProblem("not rotated") }
        #expect(rotated.previous == .init(hash: token.hash, until: 260) && rotated.hash != token.hash)
        rotated.hash = token.hash
        rotated.previous = nil
        #expect(rotated == token)
        guard case .write(let now, _) = self.desk.decide(.rotate("kept", keepOld: 0), among: [token], now: 200) else {
            throw AccessProblem("not rotated")
        }
        #expect(now.previous == nil)
    }

    @Test func `what has ended gets no new secret`() throws {
        var token = try self.made("ended")
        token.expires = 200
        #expect(self.refusal(.rotate("ended", keepOld: 0), [token])?.contains("good no longer") == true)
    }

    @Test(arguments: ["", String(repeating: "x", count: 65), "a\nb", "a\u{202e}b"])
    func `a name is something to read on one line`(name: String) {
        #expect(self.refusal(.create(TokenWish(name: name, scope: "mcp")), []) != nil)
    }

    @Test(arguments: [0, -1, Int.max])
    func `a time that is none is refused`(time: Int) {
        var wish = TokenWish(name: "x", scope: "mcp")
        wish.expiresIn = time
        #expect(self.refusal(.create(wish), []) != nil)
    }

    @Test(arguments: [Int.max, Int.min, -1])
    func `a time of any size is one`(time: Int) {
        guard case .usage(let since, _) = self.desk.decide(.usage(since: time, token: nil), among: [], now: 200) else {
            Issue.record("not asked for")
            return
        }
        #expect((0...253_402_300_799).contains(since))
    }

    @Test func `the list is in the order of age`() throws {
        let tokens = try (1...9).map { number in
            Token(
                id: .random(), name: "\(number)", scope: try TokenScope("mcp"), created: number,
                hash: TokenKey.random().hash(.random()))
        }
        guard case .answer(.tokens(let reports)) = self.desk.decide(.list, among: tokens.shuffled(), now: 200) else {
            throw AccessProblem("not listed")
        }
        #expect(reports.map(\.name) == tokens.map(\.name))
    }

    @Test func `what is shown of a token is nothing that lets anybody in`() throws {
        let token = try self.made("shown")
        guard case .answer(.tokens(let reports)) = self.desk.decide(.list, among: [token], now: 200) else {
            throw AccessProblem("not listed")
        }
        #expect(reports == [TokenReport(token, now: 200)])
        #expect(!"\(token) \(reports)".contains(token.hash.bytes.map { "\($0)" }.joined(separator: ", ")))
    }
}

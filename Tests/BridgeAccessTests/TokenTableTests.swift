import Testing

@testable import BridgeAccess

@Suite("The table of tokens") struct TokenTableTests {
    private let key = TokenKey.random()

    private func made(expires: Int? = nil, revoked: Int? = nil) throws -> (Token, TokenSecret) {
        let secret = TokenSecret.random()
        let token = Token(
            id: .random(), name: "test", scope: try TokenScope("mcp"), created: 0, expires: expires, revoked: revoked,
            hash: self.key.hash(secret))
        return (token, secret)
    }

    @Test func `a secret is found by its text, and nothing else is`() throws {
        var table = TokenTable(key: self.key)
        let (token, secret) = try self.made()
        table.put(token)
        #expect(table.authenticate(secret.text[...], now: 5) == .granted(token, until: nil))
        let text = secret.text
        for wrong in [
            "", "mcpb_", String(text.dropLast()), text + "A", text.uppercased(), " " + text, TokenSecret.random().text,
            token.id.text,
        ] {
            #expect(table.authenticate(wrong[...], now: 5) == .unknown)
        }
    }

    @Test func `the same secret under another key is unknown`() throws {
        var table = TokenTable(key: .random())
        let (token, secret) = try self.made()
        table.put(token)
        #expect(table.authenticate(secret.text[...], now: 5) == .unknown)
    }

    @Test func `a token is good until the second at which it expires`() throws {
        var table = TokenTable(key: self.key)
        let (token, secret) = try self.made(expires: 100)
        table.put(token)
        #expect(table.authenticate(secret.text[...], now: 99) == .granted(token, until: 100))
        #expect(table.authenticate(secret.text[...], now: 100) == .expired(token.id))
    }

    @Test func `what is revoked is good no longer, and that moves the epoch`() throws {
        var table = TokenTable(key: self.key)
        var (token, secret) = try self.made()
        table.put(token)
        let epoch = table.epoch
        token.revoked = 50
        table.put(token)
        #expect(table.epoch > epoch)
        #expect(table.authenticate(secret.text[...], now: 60) == .revoked(token.id))
    }

    @Test func `after a rotation the old secret is good for its time, and the one before it no longer`() throws {
        var table = TokenTable(key: self.key)
        var (token, first) = try self.made(expires: 1_000)
        let (second, third) = (TokenSecret.random(), TokenSecret.random())
        table.put(token)
        token.rotate(to: self.key.hash(second), keepingOldUntil: 100)
        table.put(token)
        #expect(table.authenticate(second.text[...], now: 10) == .granted(token, until: 1_000))
        #expect(table.authenticate(first.text[...], now: 99) == .granted(token, until: 100))
        #expect(table.authenticate(first.text[...], now: 100) == .expired(token.id))
        token.rotate(to: self.key.hash(third), keepingOldUntil: nil)
        table.put(token)
        #expect(table.authenticate(third.text[...], now: 20) == .granted(token, until: 1_000))
        #expect(table.authenticate(first.text[...], now: 20) == .unknown)
        #expect(table.authenticate(second.text[...], now: 20) == .unknown)
    }

    @Test func `whatever is wrong with a secret, as much is done about it as about a good one`() throws {
        var table = TokenTable(key: self.key)
        let (good, goodSecret) = try self.made()
        let (expired, expiredSecret) = try self.made(expires: 100)
        let (revoked, revokedSecret) = try self.made(revoked: 50)
        var (rotated, oldSecret) = try self.made()
        rotated.rotate(to: self.key.hash(.random()), keepingOldUntil: 100)
        for token in [good, expired, revoked, rotated] { table.put(token) }
        let shown = [
            goodSecret.text, expiredSecret.text, revokedSecret.text, oldSecret.text, TokenSecret.random().text,
            String(goodSecret.text.dropLast()), goodSecret.text + "A", "mcpb_", "", "something else",
        ]
        for text in shown {
            var hashed = 0
            let verdict = table.authenticate(text[...], now: 200) { secret in
                hashed += 1
                return self.key.hash(secret)
            }
            #expect(hashed == 1)
            #expect((verdict == .granted(good, until: nil)) == (text == goodSecret.text))
        }
    }

    @Test func `what replaces all leaves nothing of what was there`() throws {
        var table = TokenTable(key: self.key)
        let (old, oldSecret) = try self.made()
        let (new, newSecret) = try self.made()
        table.put(old)
        table.replaceAll(with: [new])
        #expect(table.tokens == [new])
        #expect(table.authenticate(oldSecret.text[...], now: 0) == .unknown)
        #expect(table.authenticate(newSecret.text[...], now: 0) == .granted(new, until: nil))
    }

    @Test func `a secret is 48 characters, read and written alike, and shows itself to nobody`() {
        for _ in 0..<100 {
            let secret = TokenSecret.random()
            #expect(secret.text.utf8.count == TokenSecret.length)
            #expect(TokenSecret(secret.text)?.text == secret.text)
            var dumped = ""
            dump(secret, to: &dumped)
            for shown in ["\(secret)", String(reflecting: secret), dumped, "\([secret])"] {
                #expect(!shown.contains(secret.text.dropFirst(5)))
                #expect(shown.contains("mcpb_…") || shown.contains("TokenSecret"))
            }
        }
    }

    @Test func `of 43 characters there is one spelling`() {
        let text = TokenSecret.random().text
        let spellings = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            .filter { TokenSecret(String(text.dropLast()) + String($0)) != nil }
        #expect(spellings.count == 16)
    }

    @Test func `ids are 12 characters, and no two are the same`() {
        let ids = (0..<1_000).map { _ in TokenID.random() }
        #expect(Set(ids).count == 1_000)
        #expect(ids.allSatisfy { TokenID($0.text) == $0 })
        for text in ["", "abc", "ABCDEFGHIJKL", "abcdefghijk1", "abcdefghijklm"] { #expect(TokenID(text) == nil) }
    }
}

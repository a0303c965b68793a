import BridgeAccess
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import BridgeFront

@Suite("The front's tokens") struct TokenBookTests {
    private let loop = EmbeddedEventLoop()
    private let store = StoreInPlace()
    private let key = TokenKey.random()

    private func book() -> TokenBook {
        TokenBook(FrontStores(key: self.key, store: self.store), loop: self.loop, logger: Logger(label: "test"))
    }

    private func token(_ name: String) throws -> (Token, TokenSecret) {
        let secret = TokenSecret.random()
        let token = Token(
            id: .random(), name: name, scope: try TokenScope("mcp"), created: 1, hash: self.key.hash(secret))
        return (token, secret)
    }

    @Test func `nobody is known before the tokens have been read, and all are afterwards`() throws {
        let (token, secret) = try self.token("one")
        self.store.stock.tokens = [token]
        let book = self.book()
        var told: [Int?] = []
        book.onChange = { table in
            told.append(table?.count)
            #expect(table?.authenticate(secret.text[...], now: 5) == .granted(token, until: nil))
        }
        book.start()
        #expect(told.isEmpty)
        self.loop.run()
        #expect(told == [1])
        #expect(book.tokens == [token])
    }

    @Test func `nobody is served before it is known who may be, or that it cannot be known`() throws {
        for trouble in [nil, StoreTrouble(.locked, "Another program holds it.")] {
            self.store.trouble = trouble
            let book = self.book()
            var isSettled = false
            book.isSettled.assumeIsolated().whenSuccess { isSettled = true }
            book.start()
            #expect(!isSettled)
            self.loop.run()
            #expect(isSettled)
            book.close()
        }
    }

    @Test func `what cannot be read is tried again until it can, and nobody is known meanwhile`() throws {
        let trouble = StoreTrouble(.corrupt, "It is damaged.")
        self.store.trouble = trouble
        let book = self.book()
        var told: [Int?] = []
        book.onChange = { told.append($0?.count) }
        book.start()
        self.loop.run()
        #expect(told == [nil])
        self.loop.advanceTime(by: .seconds(10))
        #expect(self.store.reads > 2)
        self.store.trouble = nil
        self.loop.advanceTime(by: .seconds(30))
        #expect(told.last == 0)
        guard case .known = book.condition else { throw trouble }
    }

    @Test func `a new token is good once it is written, and only then`() throws {
        let book = self.book()
        book.start()
        self.loop.run()
        let (token, _) = try self.token("new")
        self.store.trouble = StoreTrouble(.full, "There is no room.")
        var answers: [TokenChange?] = []
        book.put(token) { answers.append(try? $0.get()) }
        self.loop.run()
        #expect(answers == [nil] && book.tokens.isEmpty)
        self.store.trouble = nil
        book.put(token) { answers.append(try? $0.get()) }
        self.loop.run()
        #expect(answers == [nil, .written(2)] && book.tokens == [token])
        #expect(self.store.reads == 1, "its own change is not read again")
    }

    @Test func `what was decided by tokens that are others by now is not written`() throws {
        let (token, _) = try self.token("changed")
        self.store.stock.tokens = [token]
        let book = self.book()
        book.start()
        self.loop.run()
        var revoked = token
        revoked.revoked = 5
        self.store.beforePut = { [store] in store.stock = TokenStock(tokens: [revoked], revision: 2) }
        var rotated = token
        rotated.rotate(to: self.key.hash(.random()), keepingOldUntil: nil)
        var answers: [TokenChange?] = []
        book.put(rotated) { answers.append(try? $0.get()) }
        self.loop.run()
        #expect(answers == [.outdated] && self.store.stock.tokens == [revoked])
        var isRead = false
        book.read { isRead = true }
        self.loop.run()
        #expect(isRead && book.tokens == [revoked])
    }

    @Test func `changes are decided one after the other, each by what the one before it has left`() throws {
        let book = self.book()
        var seen: [String] = []
        for number in 1...3 {
            let isTaken = book.inTurn { seen.append("change \(number) begins") }
            #expect(isTaken)
        }
        #expect(seen == ["change 1 begins"])
        book.turnIsOver()
        book.turnIsOver()
        #expect(seen.last == "change 3 begins")
        book.turnIsOver()
        let isTaken = book.inTurn { seen.append("change 4 begins") }
        #expect(isTaken && seen.count == 4)
    }

    @Test func `a revoked token is good no longer, whatever the store says, and that is written once it can be`() throws
    {
        let (token, secret) = try self.token("revoked")
        self.store.stock.tokens = [token]
        let book = self.book()
        var verdicts: [TokenTable.Verdict?] = []
        book.onChange = { verdicts.append($0?.authenticate(secret.text[...], now: 60)) }
        book.start()
        self.loop.run()
        self.store.trouble = StoreTrouble(.full, "There is no room.")
        var answers: [Bool] = []
        book.revoke(token, at: 50) { answers.append((try? $0.get()) != nil) }
        #expect(verdicts == [.granted(token, until: nil), .revoked(token.id)], "at once")
        self.loop.run()
        #expect(answers == [false])
        // It can be read before it can be written; there it is good.
        self.store.trouble = nil
        book.read {}
        self.loop.run()
        #expect(verdicts.last == .revoked(token.id) && self.store.stock.tokens == [token])
        self.loop.advanceTime(by: .seconds(1))
        #expect(self.store.stock.tokens.map(\.revoked) == [50] && answers == [false])
        self.loop.advanceTime(by: .seconds(10))
        #expect(book.tokens.map(\.revoked) == [50])
    }

    @Test func `what is written of a token while it is revoked does not bring it back`() throws {
        let (token, _) = try self.token("both")
        self.store.stock.tokens = [token]
        let book = self.book()
        book.start()
        self.loop.run()
        var rotated = token
        rotated.rotate(to: self.key.hash(.random()), keepingOldUntil: nil)
        book.put(rotated) { _ in }
        book.revoke(token, at: 50) { _ in }
        self.loop.run()
        #expect(book.tokens.map(\.revoked) == [50] && book.tokens.map(\.hash) == [rotated.hash])
        #expect(self.store.stock.tokens == book.tokens)
    }

    @Test func `what another process has changed is seen within seconds, and sooner while this one drains`() throws {
        let book = self.book()
        book.start()
        self.loop.run()
        self.store.stock = TokenStock(tokens: [try self.token("another's").0], revision: 2)
        self.loop.advanceTime(by: .seconds(5))
        #expect(book.tokens.count == 1)
        book.drain()
        self.store.stock = TokenStock(tokens: [], revision: 3)
        self.loop.advanceTime(by: .seconds(1))
        #expect(book.tokens.isEmpty)
    }

    @Test func `tokens that were known stay known while the store is in trouble`() throws {
        self.store.stock.tokens = [try self.token("kept").0]
        let book = self.book()
        book.start()
        self.loop.run()
        self.store.trouble = StoreTrouble(.locked, "Another program holds it.")
        self.loop.advanceTime(by: .seconds(60))
        #expect(book.tokens.count == 1)
    }
}

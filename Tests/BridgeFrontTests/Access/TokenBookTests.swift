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
        var answers: [Bool] = []
        book.put(token) { answers.append((try? $0.get()) != nil) }
        self.loop.run()
        #expect(answers == [false] && book.tokens.isEmpty)
        self.store.trouble = nil
        book.put(token) { answers.append((try? $0.get()) != nil) }
        self.loop.run()
        #expect(answers == [false, true] && book.tokens == [token])
        #expect(self.store.reads == 1, "its own change is not read again")
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

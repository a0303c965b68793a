import BridgeMCP
import BridgeTesting
import Testing

@Suite("Subscriptions to resources") struct SubscriptionBookTests {
    private typealias Book = SubscriptionBook<Int>
    private let topic = Book.Topic(server: "notes", uri: "note://1")

    @Test func `the first one goes to the server, who comes meanwhile waits, who comes later is answered`() {
        var book = Book()
        #expect(book.subscribe(self.topic, by: 1, 10) == .forward)
        #expect(book.subscribe(self.topic, by: 2, 20) == .wait)
        #expect(book.holders(of: self.topic) == [])
        #expect(book.answered(self.topic, isGood: true).waiting.map(\.request) == [10, 20])
        #expect(book.holders(of: self.topic) == [1, 2])
        #expect(book.subscribe(self.topic, by: 3, 30) == .done)
        #expect(book.subscribe(self.topic, by: 1, 11) == .done)
        #expect(book.answered(self.topic, isGood: true).waiting.isEmpty)
    }

    @Test func `a refusal is everybody's who waited, and the next one asks again`() {
        var book = Book()
        #expect(book.subscribe(self.topic, by: 1, 10) == .forward)
        #expect(book.subscribe(self.topic, by: 2, 20) == .wait)
        #expect(book.answered(self.topic, isGood: false).waiting.count == 2)
        #expect(book.holders(of: self.topic) == [])
        #expect(book.subscribe(self.topic, by: 2, 21) == .forward)
    }

    @Test func `only the last one out unsubscribes`() {
        var book = Book()
        for session in 1...3 { book.restore(self.topic, by: UInt64(session)) }
        #expect(book.unsubscribe(self.topic, by: 2) == .done)
        #expect(book.unsubscribe(self.topic, by: 2) == .done)
        #expect(book.ended(1).unwanted == [])
        #expect(book.unsubscribe(self.topic, by: 3) == .forward)
        #expect(book.unsubscribe(self.topic, by: 3) == .done)
        #expect(book.topics(of: "notes") == [])
    }

    @Test func `a session that ends lets go of everything`() {
        var book = Book()
        let other = Book.Topic(server: "files", uri: "file:///a")
        book.restore(self.topic, by: 1)
        book.restore(other, by: 1)
        book.restore(other, by: 2)
        #expect(book.topics(of: UInt64(1)) == [other, self.topic])
        #expect(book.ended(1).unwanted == [self.topic])
        #expect(book.topics(of: UInt64(1)) == [])
        #expect(book.topics(of: "files") == [other])
    }

    @Test func `a session that ends while it waits is not made a holder`() {
        var book = Book()
        #expect(book.subscribe(self.topic, by: 1, 10) == .forward)
        #expect(book.subscribe(self.topic, by: 2, 20) == .wait)
        #expect(book.ended(1).unwanted == [])
        #expect(book.answered(self.topic, isGood: true).waiting.map(\.request) == [20])
        #expect(book.holders(of: self.topic) == [2])
    }

    @Test func `what nobody wants any more once it is answered is unsubscribed from`() {
        var book = Book()
        #expect(book.subscribe(self.topic, by: 1, 10) == .forward)
        #expect(book.ended(1).unwanted == [])
        #expect(book.answered(self.topic, isGood: true).isUnwanted)
        #expect(book.topics(of: "notes") == [])
    }

    @Test func `what waits counts, and is taken out with its session`() {
        var book = Book()
        let uri = String(repeating: "a", count: 1_000)
        for number in 0..<4 {
            #expect(book.subscribe(.init(server: "s", uri: "\(number):\(uri)"), by: 1, number) == .forward)
        }
        #expect(book.subscribe(.init(server: "s", uri: "5:\(uri)"), by: 1, 5) == .full)
        #expect(book.answered(.init(server: "s", uri: "0:\(uri)"), isGood: false).waiting.count == 1)
        #expect(book.subscribe(.init(server: "s", uri: "5:\(uri)"), by: 1, 5) == .forward)
        #expect(Set(book.ended(1).requests) == [1, 2, 3, 5])
        #expect(book.subscribe(.init(server: "s", uri: "6:\(uri)"), by: 1, 6) == .forward)
    }

    @Test func `who holds a whole hears of its parts`() {
        var book = Book()
        book.restore(.init(server: "s", uri: "file:///a"), by: 1)
        book.restore(.init(server: "s", uri: "file:///b/"), by: 2)
        book.restore(.init(server: "s", uri: "file:///a/x"), by: 3)
        let holdings = { (uri: String, server: String) in
            book.holdings(of: .init(server: server, uri: uri)).mapValues(\.uri)
        }
        #expect(holdings("file:///a/x", "s") == [1: "file:///a", 3: "file:///a/x"])
        #expect(holdings("file:///a#x", "s") == [1: "file:///a"])
        #expect(holdings("file:///a", "s") == [1: "file:///a"])
        #expect(holdings("file:///ab", "s") == [:])
        #expect(holdings("file:///b/c", "s") == [2: "file:///b/"])
        #expect(holdings("file:///a/x", "t") == [:])
    }

    @Test func `nothing is held of a server that is gone`() {
        var book = Book()
        book.restore(self.topic, by: 1)
        book.gone("notes")
        #expect(book.servers == [] && book.topics(of: UInt64(1)) == [])
    }

    @Test func `a session may hold so much and no more`() {
        var book = Book()
        let uri = String(repeating: "a", count: 1_000)
        for number in 0..<4 { book.restore(.init(server: "s", uri: "\(number):\(uri)"), by: 1) }
        #expect(book.subscribe(.init(server: "s", uri: "5:\(uri)"), by: 1, 0) == .full)
        #expect(book.subscribe(.init(server: "s", uri: "5:\(uri)"), by: 2, 0) == .forward)
    }

    /// Against a model that is told everything: the server's own set is what all sessions together want.
    @Test func `the server holds what somebody holds`() {
        var random = SeededRandom(seed: 5)
        var book = Book()
        var server: Set<String> = []
        var wanted: [UInt64: Set<String>] = [:]
        var waiting: [String: [UInt64]] = [:]
        for step in 0..<50_000 {
            let session = UInt64.random(in: 0..<6, using: &random)
            let uri = "r:\(Int.random(in: 0..<4, using: &random))"
            let topic = Book.Topic(server: "s", uri: uri)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                switch book.subscribe(topic, by: session, step) {
                case .forward:
                    #expect(waiting[uri] == nil && !server.contains(uri))
                    waiting[uri] = [session]
                case .wait: waiting[uri, default: []].append(session)
                case .done:
                    #expect(server.contains(uri))
                    wanted[session, default: []].insert(uri)
                case .full: Issue.record("there is room")
                }
            case 5..<7:
                guard let sessions = waiting.removeValue(forKey: uri) else { continue }
                let isGood = Bool.random(using: &random)
                let answered = book.answered(topic, isGood: isGood)
                #expect(answered.waiting.map(\.session) == sessions)
                guard isGood else { continue }
                server.insert(uri)
                for session in sessions { wanted[session, default: []].insert(uri) }
                if answered.isUnwanted { server.remove(uri) }
            case 7..<9:
                if book.unsubscribe(topic, by: session) == .forward { #expect(server.remove(uri) != nil) }
                wanted[session]?.remove(uri)
            default:
                for topic in book.ended(session).unwanted { #expect(server.remove(topic.uri) != nil) }
                wanted[session] = []
                for uri in waiting.keys { waiting[uri]?.removeAll { $0 == session } }
            }
            #expect(Set(book.topics(of: "s").map(\.uri)) == server)
            #expect(server == wanted.values.reduce(into: []) { $0.formUnion($1) })
        }
    }
}

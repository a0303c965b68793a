import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Who asks, by a number", .timeLimit(.minutes(1))) struct LiveBindingTests {
    private static func post(_ session: String, _ id: Int = 1, _ method: String = "tools/call") -> String {
        HTTPText.post(HTTPText.call(id, method), ["Mcp-Session-Id: \(session)"])
    }

    /// Sends requests of these sessions, one after the other.
    private static func ask(_ sessions: [String], on client: RawClient) async throws {
        for session in sessions {
            try await client.send(Self.post(session))
            #expect(try await client.reply().status == 200)
        }
    }

    /// What the session worker was told of a request.
    private struct Told: Equatable {
        enum Way: Equatable { case whole, binds, byNumber }
        let way: Way
        /// Of the session: by the number that was bound to it, where there is no other word.
        let session: String?
    }

    private static func told(_ front: FrontFixture) async throws -> [Told] {
        try await front.onLoop { front in
            var bound: [BindingNumber: String] = [:]
            return front.session.value.exchanges.map { exchange in
                switch SessionOpening(exchange.header) {
                case .whole(let request):
                    if let number = request.binding { bound[number] = request.sessionID }
                    return Told(way: request.binding == nil ? .whole : .binds, session: request.sessionID)
                case .bound(let number, _): return Told(way: .byNumber, session: bound[number])
                case nil: return Told(way: .whole, session: nil)
                }
            }
        }
    }

    @Test func `is told in full once, with a number when it is asked again, and by the number from then on`()
        async throws
    {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await Self.ask(["s", "s", "s", "s"], on: client)
            let ways = try await Self.told(front).map(\.way)
            #expect(ways == [.whole, .binds, .byNumber, .byNumber])
            let last = try await front.onLoop { $0.session.value.exchanges.last?.header.description }
            #expect(last == #"{"b":16384}"#)
        }
    }

    @Test func `costs nothing where nobody asks again`() async throws {
        try await FrontFixture.run { front in
            for _ in 0..<3 { try await Self.ask(["s"], on: try await front.connect()) }
            let withoutSession = try await front.connect()
            for _ in 0..<3 {
                try await withoutSession.send(HTTPText.post(HTTPText.call(1)))
                _ = try await withoutSession.reply()
            }
            #expect(try await Self.told(front).allSatisfy { $0.way == .whole })
        }
    }

    @Test func `is never somebody else: two sessions through one connection, that differ in one byte`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            let order = ["a", "b", "a", "b", "b", "b", "a", "a", "a", "A", "A", "A", "b", "a", "a", "a", "b", "b", "b"]
            try await Self.ask(order, on: client)
            let told = try await Self.told(front)
            #expect(told.map(\.session) == order)
            #expect(told.count { $0.way == .byNumber } == 5)
        }
    }

    @Test func `is told in full again as long as the session worker refuses`() async throws {
        let refuse: FakeSession.Answer = { exchange, _, _ in exchange.end(header: SessionEnd(404).text) }
        try await FrontFixture.run(answer: refuse) { front in
            let client = try await front.connect()
            for _ in 0..<4 {
                try await client.send(Self.post("s"))
                #expect(try await client.reply().status == 404)
            }
            #expect(try await Self.told(front).map(\.way) == [.whole, .binds, .binds, .binds])
            try await front.onLoop { $0.session.value.answerWith(FakeSession.echo) }
            try await Self.ask(["s", "s"], on: client)
            #expect(try await Self.told(front).suffix(2).map(\.way) == [.binds, .byNumber])
        }
    }

    @Test func `is taken up by a stream as by an answer`() async throws {
        let stream: FakeSession.Answer = { exchange, _, _ in
            exchange.send(header: .parse(#"{"ev":"1"}"#), payload: ByteBuffer(string: #"{"a":1}"#))
            exchange.end(header: .parse(#"{"st":200}"#), payload: ByteBuffer(string: #"{"b":2}"#))
        }
        try await FrontFixture.run(answer: stream) { front in
            let client = try await front.connect()
            try await Self.ask(["s", "s", "s"], on: client)
            #expect(try await Self.told(front).map(\.way) == [.whole, .binds, .byNumber])
        }
    }

    /// A session worker that has forgotten every number.
    private static let forgetful: FakeSession.Answer = { exchange, header, payload in
        guard case .bound = SessionOpening(header) else { return FakeSession.echo(exchange, header, payload) }
        exchange.end(header: SessionEnd.unknownBinding, payload: exchange.takePayload().bytes)
    }

    @Test(arguments: ["tools/call", "tools/list"])
    func `is told in full where the number is not known, which the client does not see`(method: String) async throws {
        try await FrontFixture.run(answer: Self.forgetful) { front in
            let client = try await front.connect()
            for id in 1...4 {
                try await client.send(Self.post("s", id, method))
                let reply = try await client.reply()
                #expect(reply.status == 200)
                #expect(reply.body == #"{"jsonrpc":"2.0","id":\#(id),"result":{"method":"\#(method)"}}"#)
            }
            #expect(
                try await Self.told(front).map(\.way)
                    == [.whole, .binds, .byNumber, .binds, .byNumber, .binds])
            let retried = try await front.onLoop { $0.worker.state.value.metrics.retriedRequests }
            #expect(retried == 2)
            var payloads: [String] = []
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            for _ in 0..<6 { if case .opened(_, let payload) = await events.next() { payloads.append(payload) } }
            #expect(payloads == [1, 2, 3, 3, 4, 4].map { HTTPText.call($0, method) })
        }
    }

    @Test func `that the session worker never knows ends the request`() async throws {
        let answer: FakeSession.Answer = { exchange, _, _ in exchange.end(header: SessionEnd.unknownBinding) }
        try await FrontFixture.run(answer: answer) { front in
            let client = try await front.connect()
            try await client.send(Self.post("s", 7))
            let reply = try await client.reply()
            #expect(reply.status == 500)
            #expect(reply.body.contains(#""id":7,"error""#))
            let opened = try await front.onLoop { $0.session.value.exchanges.count }
            #expect(opened == 2)
        }
    }

    @Test func `is told in full to the next session worker, on a connection that stays`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await Self.ask(["s", "s", "s"], on: client)
            try await front.onLoop { $0.session.value.die() }
            try await front.until { $0.worker.state.value.metrics.linkRestarts == 1 }
            try await front.until { $0.worker.state.value.session.isConnected }
            try await Self.ask(["s", "s"], on: client)
            #expect(try await Self.told(front).map(\.way) == [.whole, .binds, .byNumber, .binds, .byNumber])
        }
    }

    @Test func `is told in full where a request by number is asked again of the next session worker`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await Self.ask(["s", "s", "s"], on: client)
            try await front.onLoop { $0.session.value.answerWith { _, _, _ in } }
            try await client.send(Self.post("s", 5, "tools/list"))
            try await front.until { $0.session.value.exchanges.count == 4 }
            try await front.onLoop { front in
                front.session.value.answerWith(FakeSession.echo)
                front.session.value.die()
            }
            #expect(try await client.reply().body.contains(#""id":5,"result""#))
            let told = try await Self.told(front)
            #expect(told[3].way == .byNumber)
            #expect(told[4] == Told(way: .whole, session: "s"), "there was no link when it was asked")
            try await front.onLoop { $0.session.value.answerWith { _, _, _ in } }
            try await Self.ask([], on: client)
            try await client.send(Self.post("s", 6))
            try await front.until { $0.session.value.exchanges.count == 6 }
            try await front.onLoop { $0.session.value.die() }
            #expect(try await client.reply().body.contains("outcome_unknown"))
        }
    }

    @Test func `is told in full with a payload that may wait for room, and binds nothing by it`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            let body =
                #"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"\#(String(repeating: "x", count: 16_384))"}}"#
            let large = HTTPText.post(body, ["Mcp-Session-Id: s"])
            // The length of the body is no part of who asks; it has as many digits as the others have.
            for text in [Self.post("s"), large, Self.post("s"), large, Self.post("s"), large] {
                try await client.send(text)
                #expect(try await client.reply().status == 200)
            }
            let told = try await Self.told(front)
            #expect(told.map(\.way) == [.whole, .whole, .binds, .whole, .byNumber, .whole])
            #expect(told.allSatisfy { $0.session == "s" })
        }
    }

    @Test func `is told in full after a change of the configuration`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await Self.ask(["s", "s", "s"], on: client)
            try await front.onLoop { $0.worker.reconfigure($0.configuration) }
            try await Self.ask(["s", "s"], on: client)
            let told = try await Self.told(front)
            #expect(told.map(\.way) == [.whole, .binds, .byNumber, .whole, .binds])
        }
    }

    @Test func `loses the number with the connection, and the next one there is another`() async throws {
        try await FrontFixture.run { front in
            let first = try await front.connect()
            try await Self.ask(["a", "a", "a"], on: first)
            let number = try #require(BindingNumber(rawValue: 16_384))
            #expect(try await front.onLoop { $0.worker.state.value.bindings.isCurrent(number) })
            try await first.close()
            try await front.until { !$0.worker.state.value.bindings.isCurrent(number) }
            let second = try await front.connect()
            try await Self.ask(["b", "b", "b"], on: second)
            let told = try await Self.told(front)
            #expect(told.map(\.session) == ["a", "a", "a", "b", "b", "b"])
            let last = try await front.onLoop { $0.session.value.exchanges.last?.header.description }
            #expect(last == #"{"b":49152}"#, "the same slot, in other hands for the third time")
        }
    }
}

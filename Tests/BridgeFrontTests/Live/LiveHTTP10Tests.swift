import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

@Suite("HTTP/1.0", .timeLimit(.minutes(1))) struct LiveHTTP10Tests {
    private static func old(_ request: String) -> String {
        request.replacing(" HTTP/1.1\r\n", with: " HTTP/1.0\r\n")
    }

    @Test(arguments: [[], ["Connection: keep-alive"]])
    func `a call is answered by its length, and the connection closed`(fields: [String]) async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(Self.old(HTTPText.post(HTTPText.call(1), fields)))
            let reply = try await client.reply()
            #expect(reply.status == 200)
            #expect(reply.value("connection") == "close")
            #expect(reply.value("transfer-encoding") == nil)
            #expect(reply.body.contains("\"id\":1,"))
            #expect(await client.end() == "")
        }
    }

    @Test func `a stream has no chunks and ends with the connection`() async throws {
        let answer: FakeSession.Answer = { exchange, _, payload in
            exchange.send(header: .parse(#"{"ev":"1"}"#), payload: ByteBuffer(string: #"{"a":1}"#))
            exchange.end(header: .parse(#"{"st":200,"ev":"2"}"#), payload: ByteBuffer(string: #"{"b":2}"#))
        }
        try await FrontFixture.run(answer: answer) { front in
            let client = try await front.connect()
            try await client.send(Self.old(HTTPText.post(HTTPText.call(1))))
            let head = try await client.head()
            #expect(head.value("connection") == "close")
            #expect(head.value("transfer-encoding") == nil)
            let body = await client.end()
            #expect(body == "id: 1\nevent: message\ndata: {\"a\":1}\n\nid: 2\nevent: message\ndata: {\"b\":2}\n\n")
        }
    }

    @Test func `the router's routes do the same`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(Self.old(HTTPText.request("GET /health")))
            let reply = try await client.reply()
            #expect(reply.value("connection") == "close")
            #expect(reply.value("transfer-encoding") == nil)
            #expect(reply.body.contains("\"status\":\"ok\""))
            #expect(await client.end() == "")
        }
    }

    @Test func `nobody is told to go on who cannot know what that means`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(Self.old(HTTPText.post(HTTPText.call(1), ["Expect: 100-continue"])))
            #expect(try await client.head().status == 200)
        }
    }
}

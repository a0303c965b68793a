import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

/// What a client gets whose call is cancelled.
@Suite("Streams that end without a word", .timeLimit(.minutes(1))) struct LiveEmptyStreamTests {
    private static let silent: FakeSession.Answer = { exchange, _, payload in
        exchange.end(header: SessionEnd(200, failure: "cancelled").text)
    }

    @Test func `are event streams of no length, and the connection is kept`() async throws {
        try await FrontFixture.run(answer: Self.silent) { front in
            let client = try await front.connect()
            for id in 1...3 {
                try await client.send(HTTPText.post(HTTPText.call(id)))
                let reply = try await client.reply()
                #expect(reply.status == 200 && reply.body == "")
                #expect(reply.value("content-type") == "text/event-stream")
                #expect(reply.value("content-length") == "0")
                #expect(reply.value("transfer-encoding") == nil)
                #expect(reply.value("connection") == nil)
            }
            try await front.onLoop { front in
                #expect(front.worker.state.value.metrics.openStreams == 0)
                #expect(front.worker.state.value.metrics.requestsInFlight == 0)
            }
        }
    }

    @Test func `are the same for HTTP/1.0`() async throws {
        try await FrontFixture.run(answer: Self.silent) { front in
            let client = try await front.connect()
            let post = HTTPText.post(HTTPText.call(1)).replacing(" HTTP/1.1\r\n", with: " HTTP/1.0\r\n")
            try await client.send(post)
            let reply = try await client.reply()
            #expect(reply.value("content-type") == "text/event-stream" && reply.value("content-length") == "0")
            #expect(reply.body == "")
            #expect(await client.end() == "")
        }
    }

    @Test func `end where they have begun, without asking anybody to come again`() async throws {
        let answer: FakeSession.Answer = { exchange, _, payload in
            exchange.send(header: SessionEvent(eventID: "1").text, payload: ByteBuffer(string: "{}"))
            exchange.end(header: SessionEnd(200, failure: "cancelled").text)
        }
        try await FrontFixture.run(answer: answer) { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1)))
            let reply = try await client.reply()
            #expect(reply.value("content-type") == "text/event-stream")
            #expect(reply.body == "id: 1\nevent: message\ndata: {}\n\n")
        }
    }

    @Test func `other answers without a body are what they were`() async throws {
        let answer: FakeSession.Answer = { exchange, _, payload in exchange.end(header: SessionEnd(202).text) }
        try await FrontFixture.run(answer: answer) { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1)))
            let reply = try await client.reply()
            #expect(reply.status == 202 && reply.value("content-type") == nil)
        }
    }
}

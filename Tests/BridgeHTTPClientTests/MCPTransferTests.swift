import BridgeCore
import NIOCore
import NIOHTTP1
import Testing

@testable import BridgeHTTPClient

@Suite("MCP transfer") struct MCPTransferTests {
    private static let reply = #"{"jsonrpc":"2.0","id":1,"result":{}}"#

    private func outcome(_ steps: [OddServer.Step], maximumMessage: Int = 1 << 20) async throws -> Outcome {
        try await OddServer.serving({ _, _ in steps }) { server in
            let asked = try endpoint(server).post(ByteBuffer(string: "{}"))
            return try await connected { try await $0.outcome(ofMCP: asked, maximumMessage: maximumMessage) }
        }
    }

    @Test(arguments: [
        "application/json", "Application/JSON; charset=utf-8", "application/json, text/event-stream", "text/html", nil,
    ])
    func `a text is one, whatever it is called`(type: String?) async throws {
        let found = try await self.outcome(answer("200 OK", Self.reply, type: type))
        #expect(found.text == Self.reply && found.events.isEmpty)
    }

    @Test(arguments: ["text/event-stream", "Text/Event-Stream;charset=UTF-8", "text/event-stream , x/y", nil])
    func `a stream is one, whatever it is called`(type: String?) async throws {
        let found = try await self.outcome(
            answer("200 OK", ": hello\n\nid: 4\ndata: \(Self.reply)\n\nretry: 70\n\n", type: type))
        #expect(found.data == [Self.reply, nil])
        #expect(found.lastEventID == "4" && found.retry == 70)
    }

    @Test(arguments: ["\n", "\r\n", "\r"]) func `events come with every line end, byte by byte too`(end: String)
        async throws
    {
        let stream = "event: message\(end)data: \(Self.reply)\(end)\(end)data: 2\(end)\(end)"
        #expect(try await self.outcome(answer("200 OK", stream, type: "text/event-stream")).data == [Self.reply, "2"])
        #expect(try await self.outcome([streamHead(), .slowly(stream), .close]).data == [Self.reply, "2"])
        #expect(
            try await self.outcome([streamHead(nil), .slowly("\u{FEFF}" + stream), .close]).data == [Self.reply, "2"])
    }

    @Test func `a byte order mark before a text is taken away`() async throws {
        for type in ["application/json", nil] {
            #expect(try await self.outcome(answer("200 OK", "\u{FEFF}" + Self.reply, type: type)).text == Self.reply)
        }
    }

    @Test func `the last event may lack its blank line, and says so`() async throws {
        let found = try await self.outcome([streamHead(), .text("id: 1\ndata: a\n\nid: 2\ndata: b"), .close])
        #expect(found.failure == nil && found.data == ["a", "b"])
        #expect(found.events.map(\.isUnfinished) == [false, true])
        #expect(found.lastEventID == "1")
    }

    @Test func `a stream that breaks off is a failure behind its events`() async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        let found = try await self.outcome([.text(head + "9\r\ndata: a\n\n\r\n8\r\ndata: b\n\r\n"), .close])
        #expect(found.data == ["a"])
        #expect(found.failure == HTTPFailure(.closed, mayHaveRun: true))
    }

    @Test(arguments: [202, 200, 204, 405, 503]) func `an answer without a body is one`(status: Int) async throws {
        let found = try await self.outcome(answer("\(status) Some", "", type: nil))
        #expect(found.status == UInt(status) && found.failure == nil && found.body.readableBytes == 0)
    }

    @Test func `an error status comes with its body`() async throws {
        let found = try await self.outcome(answer("401 Unauthorized", "<html>sign in", type: "text/html"))
        #expect(found.status == 401 && found.text == "<html>sign in")
    }

    @Test func `a text and an event that are too long are refused with the limit`() async throws {
        let refused = HTTPFailure(.tooLarge(limit: 1_000), mayHaveRun: true)
        let long = String(repeating: "x", count: 1_001)
        #expect(try await self.outcome(answer("200 OK", long), maximumMessage: 1_000).failure == refused)
        for stream in ["data: " + long + "\n\n", "data: " + long, ":" + long] {
            let found = try await self.outcome(
                answer("200 OK", "data: 1\n\n" + stream, type: "text/event-stream"), maximumMessage: 1_000)
            #expect(found.failure == refused && found.data == ["1"])
        }
        #expect("\(refused)".contains("1000 bytes"))
    }

    @Test func `an event of thirty megabytes comes whole`() async throws {
        let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 20)
        let steps =
            [streamHead(), .text("data: ")] + Array(repeating: .bytes(piece), count: 30) + [.text("\n\n"), .close]
        let found = try await self.outcome(steps, maximumMessage: 64 << 20)
        #expect(found.events.first?.data?.readableBytes == 30 << 20)
    }
}

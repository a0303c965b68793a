import BridgeCore
import NIOCore
import NIOHTTP1
import Testing

@testable import BridgeHTTPClient

@Suite("One message and all that comes for it") struct MCPExchangeTests {
    private static let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#
    private static let result = #"{"jsonrpc":"2.0","id":1,"result":{}}"#

    /// All that was heard: messages, and the end in a word.
    private func course(_ script: @escaping OddServer.Script) async throws -> (
        heard: [String], requests: [OddServer.Request]
    ) {
        try await OddServer.serving(script) { server in
            let destination = try endpoint(server)
            let heard = try await connected { connections in
                try await connections.loop.flatSubmit {
                    let ear = Ear(loop: connections.loop)
                    _ = connections.exchange(ByteBuffer(string: Self.call), with: destination, answers: 1, ear)
                    return ear.promise.futureResult
                }.get()
            }
            return (heard, server.requests)
        }
    }

    @Test func `a stream is heard up to its answer`() async throws {
        let note = #"{"jsonrpc":"2.0","method":"notifications/progress"}"#
        let (heard, _) = try await self.course { _, _ in
            answer("200 OK", "data: \(note)\n\ndata: \(Self.result)\n\ndata: {}\n\n", type: "text/event-stream")
        }
        #expect(heard == ["200", note, Self.result, "answered"])
    }

    @Test func `a batch comes apart`() async throws {
        let (heard, _) = try await self.course { _, _ in answer("200 OK", #"[{"method":"a"},\#(Self.result)]"#) }
        #expect(heard == ["200", #"{"method":"a"}"#, Self.result, "answered"])
    }

    @Test func `a stream that breaks off is fetched from its last event on, again and again`() async throws {
        let (heard, requests) = try await self.course { request, number in
            let head = streamHead()
            switch number {
            case 0: return [head, .text("id: e1\nretry: 10\ndata:\n\n"), .close]
            case 1: return [head, .text("id: e2\nretry: 10\ndata: {\"method\":\"a\"}\n\ndata: {\"half"), .close]
            default: return [head, .text("data: \(Self.result)\n\n"), .close]
            }
        }
        #expect(heard == ["200", #"{"method":"a"}"#, Self.result, "answered"])
        #expect(requests.map(\.head.method) == [.POST, .GET, .GET])
        #expect(requests.map { $0.head.headers.first(name: "Last-Event-ID") } == [nil, "e1", "e2"])
    }

    @Test(arguments: ["500 Oh", "503 Busy", "429 Slower"])
    func `a server that is too busy for the rest is asked again`(status: String) async throws {
        let (heard, requests) = try await self.course { _, number in
            switch number {
            case 0: [streamHead(), .text("id: e1\nretry: 10\ndata:\n\n"), .close]
            case 1: answer(status, "{}")
            default: [streamHead(), .text("data: \(Self.result)\n\n"), .close]
            }
        }
        #expect(heard == ["200", Self.result, "answered"])
        #expect(requests.map { $0.head.headers.first(name: "Last-Event-ID") } == [nil, "e1", "e1"])
    }

    @Test func `a stream whose rest is gone ends without an answer`() async throws {
        let (heard, requests) = try await self.course { _, number in
            number == 0
                ? [streamHead(), .text("id: e1\nretry: 10\ndata:\n\n"), .close] : answer("400 Bad Request", "{}")
        }
        #expect(heard == ["200", "unanswered"])
        #expect(requests.count == 2)
    }

    @Test func `a stream without ids is not fetched`() async throws {
        let (heard, requests) = try await self.course { _, _ in
            [streamHead(), .text("data: {\"method\":\"a\"}\n\n"), .close]
        }
        #expect(heard == ["200", #"{"method":"a"}"#, "unanswered"])
        #expect(requests.count == 1)
    }

    @Test(arguments: [
        ("404 Not Found", "no", ["404", "refused 404 no"]), ("202 Accepted", "", ["202", "unanswered"]),
    ])
    func `what is no answer is told`(status: String, body: String, expected: [String]) async throws {
        #expect(try await self.course { _, _ in answer(status, body) }.heard == expected)
    }

    @Test func `the delay grows up to its longest`() {
        var pace = ReconnectPace()
        let delays = (0..<10).map { _ in pace.failed().nanoseconds / 1_000_000 }
        #expect(delays == [1_000, 1_600, 2_560, 4_096, 6_553, 10_485, 16_777, 26_843, 30_000, 30_000])
        pace.succeeded()
        #expect(pace.failed() == .seconds(1))
    }
}

private final class Ear: MCPExchangeDelegate {
    let promise: EventLoopPromise<[String]>
    private var heard: [String] = []

    init(loop: any EventLoop) { self.promise = loop.makePromise() }

    func received(_ head: HTTPResponseHead, of exchange: MCPExchange) { self.heard.append("\(head.status.code)") }
    func received(_ message: JSONText, of exchange: MCPExchange) { self.heard.append("\(message)") }

    func ended(_ exchange: MCPExchange, _ end: MCPExchange.End) {
        switch end {
        case .answered: self.heard.append("answered")
        case .unanswered: self.heard.append("unanswered")
        case .refused(let head, let body):
            self.heard.append("refused \(head.status.code) \(body.map { String(buffer: $0) } ?? "")")
        case .failed(let failure): self.heard.append("\(failure)")
        }
        self.promise.succeed(self.heard)
    }
}

import BridgeCore
import NIOCore
import NIOHTTP1
import Testing

@testable import BridgeHTTPClient

@Suite("What a server says by itself") struct MCPListeningTests {
    /// What is heard until `count` words have come, and what the server was asked.
    private func course(
        _ count: Int, silence: TimeAmount = .hours(1), _ script: @escaping OddServer.Script
    ) async throws -> (heard: [String], requests: [OddServer.Request]) {
        try await OddServer.serving(script) { server in
            let destination = try endpoint(server)
            let heard = try await connected { connections in
                try await connections.loop.flatSubmit {
                    let ear = ListeningEar(count, loop: connections.loop)
                    let listening = MCPListening(
                        to: destination, over: connections, silence: silence, ear)
                    listening.start()
                    let bound = NIOLoopBound((ear, listening), eventLoop: connections.loop)
                    return ear.promise.futureResult.map { heard in
                        bound.value.1.cancel()
                        return heard
                    }
                }.get()
            }
            return (heard, server.requests)
        }
    }

    @Test func `a stream that ends is opened again from its last event on`() async throws {
        let (heard, requests) = try await self.course(5) { _, number in
            let head = streamHead()
            if number == 0 { return [head, .text("id: e1\nretry: 10\ndata: {\"method\":\"a\"}\n\n"), .close] }
            return [head, .text("data: {\"method\":\"b\"}\n\n")]
        }
        #expect(heard == ["opened", #"{"method":"a"}"#, "lost", "opened", #"{"method":"b"}"#])
        #expect(requests.map { $0.head.headers.first(name: "Last-Event-ID") } == [nil, "e1"])
    }

    @Test func `an event that is not kept any more begins a new stream`() async throws {
        let (heard, requests) = try await self.course(5) { _, number in
            switch number {
            case 0: return [streamHead(), .text("id: e1\nretry: 10\ndata:\n\n"), .close]
            case 1: return answer("400 Bad Request")
            default: return [streamHead(), .text("data: {\"method\":\"b\"}\n\n")]
            }
        }
        #expect(heard == ["opened", "lost", "lost", "opened", #"{"method":"b"}"#])
        #expect(requests.map { $0.head.headers.first(name: "Last-Event-ID") } == [nil, "e1", nil])
    }

    @Test func `a stream that nothing comes over any more is asked for anew, from its last event on`() async throws {
        let (heard, requests) = try await self.course(5, silence: .milliseconds(200)) { _, number in
            number == 0
                ? [streamHead(), .text("id: e1\ndata: {\"method\":\"a\"}\n\n")]
                : [streamHead(), .text("data: {\"method\":\"b\"}\n\n")]
        }
        #expect(heard == ["opened", #"{"method":"a"}"#, "lost", "opened", #"{"method":"b"}"#])
        #expect(requests.map { $0.head.headers.first(name: "Last-Event-ID") }.prefix(2) == [nil, "e1"])
    }

    @Test(arguments: ["405 Method Not Allowed", "404 Not Found", "401 Unauthorized", "501 Not Implemented"])
    func `a server without such a stream is not asked again`(status: String) async throws {
        let (heard, requests) = try await self.course(1) { _, _ in answer(status) }
        #expect(heard == ["ended \(status.prefix(3))"])
        #expect(requests.count == 1)
    }
}

private final class ListeningEar: MCPListeningDelegate {
    let promise: EventLoopPromise<[String]>
    private let count: Int
    private var heard: [String] = []

    init(_ count: Int, loop: any EventLoop) {
        self.promise = loop.makePromise()
        self.count = count
    }

    func received(_ message: JSONText, of listening: MCPListening) { self.hear("\(message)") }
    func ended(_ listening: MCPListening, status: HTTPResponseStatus) { self.hear("ended \(status.code)") }
    func opened(_ listening: MCPListening) { self.hear("opened") }
    func lost(_ listening: MCPListening, _ failure: HTTPFailure?) { self.hear("lost") }

    private func hear(_ word: String) {
        self.heard.append(word)
        if self.heard.count == self.count { self.promise.succeed(self.heard) }
    }
}

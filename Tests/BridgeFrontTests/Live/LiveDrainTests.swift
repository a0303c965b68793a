import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Draining", .timeLimit(.minutes(1))) struct LiveDrainTests {
    @Test func `a call under way is finished, and its connection closed`() async throws {
        try await FrontFixture.run { front in
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1, "hang")))
            _ = await events.next()
            try await front.onLoop { $0.worker.drain(within: .seconds(30)) }
            try await front.onLoop { front in
                front.session.value.exchanges[0].end(header: .parse(#"{"st":200}"#), payload: ByteBuffer(string: "{}"))
            }
            let reply = try await client.reply()
            #expect(reply.status == 200)
            #expect(reply.value("connection") == "close")
            #expect(await client.end() == "")
        }
    }

    @Test func `a request that was on its way is served, and an idle connection closed`() async throws {
        try await FrontFixture.run(configure: { $0.limits.linger = 30 }) { front in
            let client = try await front.connect()
            try await client.send(HTTPText.request("GET /health/live"))
            _ = try await client.reply()
            let idle = try await front.connect()
            try await idle.send(HTTPText.request("GET /health/live"))
            _ = try await idle.reply()
            try await front.onLoop { $0.worker.drain(within: .seconds(30)) }
            try await client.send(HTTPText.post(HTTPText.call(2)))
            let reply = try await client.reply()
            #expect(reply.status == 200)
            #expect(reply.value("connection") == "close")
            #expect(await idle.end() == "")
        }
    }

    @Test func `a GET stream gets its proper end`() async throws {
        try await FrontFixture.run(answer: { exchange, _, _ in exchange.send(header: .parse(#"{"open":true}"#)) }) {
            front in
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            let client = try await front.connect()
            try await client.send(HTTPText.request("GET /mcp", ["Accept: text/event-stream", "Mcp-Session-Id: s"]))
            #expect(try await client.head().status == 200)
            _ = await events.next()
            try await front.onLoop { $0.worker.drain(within: .seconds(30)) }
            #expect(try await client.chunk() == "retry: 1000\n\n")
            #expect(try await client.chunk() == nil)
            #expect(await client.end() == "")
            #expect(await events.next() == .failed(.cancelled(reason: "draining")))
        }
    }

    /// Some clients never open another stream after one that was refused.
    @Test func `a GET that nobody has answered yet gets the same end`() async throws {
        try await FrontFixture.run(answer: { _, _, _ in }, configure: { $0.limits.linger = 30 }) { front in
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            let get = HTTPText.request("GET /mcp", ["Accept: text/event-stream", "Mcp-Session-Id: s"])
            let waiting = try await front.connect()
            try await waiting.send(get)
            guard case .opened = await events.next() else { return }
            let late = try await front.connect()
            try await late.send(HTTPText.request("GET /health/live"))
            _ = try await late.reply()
            try await front.onLoop { $0.worker.drain(within: .seconds(30)) }
            #expect(await events.next() == .failed(.cancelled(reason: "draining")))
            try await late.send(get)
            for client in [waiting, late] {
                let reply = try await client.reply()
                #expect(reply.status == 200)
                #expect(reply.value("content-type") == "text/event-stream")
                #expect(reply.value("connection") == "close")
                #expect(reply.body == "retry: 1000\n\n")
                #expect(await client.end() == "")
            }
            #expect(try await front.onLoop { $0.session.value.exchanges.count } == 1)
            #expect(try await front.onLoop { $0.worker.state.value.metrics.openStreams } == 0)
        }
    }

    @Test func `a call that does not end in time is cut off`() async throws {
        try await FrontFixture.run { front in
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1, "hang")))
            _ = await events.next()
            try await front.onLoop { $0.worker.drain(within: .milliseconds(20)) }
            #expect(await client.end() == "")
            #expect(await events.next() == .ended)
        }
    }

    @Test func `new limits and origins hold for connections that are there`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1), ["Origin: http://localhost:1"]))
            #expect(try await client.reply().status == 200)
            try await front.onLoop { front in
                var configuration = front.configuration
                configuration.origins = []
                configuration.limits.maximumBodyBytes = 10
                front.worker.reconfigure(configuration)
            }
            try await client.send(HTTPText.post(HTTPText.call(2), ["Origin: http://localhost:1"]))
            #expect(try await client.reply().status == 403)
            try await client.send(HTTPText.post(HTTPText.call(3)))
            #expect(try await client.reply().status == 413)
        }
    }
}

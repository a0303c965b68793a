import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Limits of HTTP+SSE", .timeLimit(.minutes(1))) struct LiveStreamedLimitsTests {
    @Test func `a draining front finishes what is under way, takes nothing new, and then ends the stream`() async throws
    {
        try await FrontFixture.run(answer: LiveStreamedTests.answer, configure: { $0.limits.linger = 30 }) { front in
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            let (stream, path) = try await LiveStreamedTests.open(front)
            let (idle, _) = try await LiveStreamedTests.open(front)
            let poster = try await front.connect()
            try await poster.send(HTTPText.post(HTTPText.call(1, "hang"), path: path))
            _ = try await poster.reply()
            for _ in 0..<3 { _ = await events.next() }
            let late = try await front.connect()
            try await late.send(HTTPText.request("GET /health/live"))
            _ = try await late.reply()
            try await front.onLoop { $0.worker.drain(within: .seconds(30)) }
            #expect(try await idle.chunk() == "retry: 1000\n\n")
            #expect(await idle.end() == "0\r\n\r\n")
            try await poster.send(HTTPText.post(HTTPText.call(2), path: path))
            #expect(try await poster.reply().status == 202)
            #expect(try await stream.chunk()?.contains(#""id":2,"error":{"code":-32000"#) == true)
            try await late.send(LiveStreamedTests.get)
            #expect(try await late.reply().status == 503)
            try await front.onLoop { front in
                let under = front.session.value.exchanges.last { !$0.isOver }
                under?.end(header: SessionEnd.answered, payload: ByteBuffer(string: #"{"done":1}"#))
            }
            #expect(await stream.end().contains(#"data: {"done":1}"#))
        }
    }

    @Test func `so many requests of one session are under way at once`() async throws {
        try await FrontFixture.run(answer: LiveStreamedTests.answer) { front in
            let (stream, path) = try await LiveStreamedTests.open(front)
            let client = try await front.connect()
            for number in 0..<StreamedSession.maximumUnderWay {
                try await client.send(HTTPText.post(HTTPText.call(number, "hang"), path: path))
                #expect(try await client.reply().status == 202)
            }
            try await client.send(HTTPText.post(HTTPText.call(5_000), path: path))
            // Another status would be the end of all that some clients have to say.
            #expect(try await client.reply().status == 202)
            let refused = try await stream.chunk() ?? ""
            #expect(refused.contains(#""id":5000,"#) && refused.contains(#""code":"overloaded""#))
            // What answers a question, or cancels, is taken all the same.
            let note = #"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#
            try await client.send(HTTPText.post(note, path: path))
            #expect(try await client.reply().status == 202)
        }
    }

    @Test func `what a client does not read is counted however small it is, and the slowest has to go`() async throws {
        let long = String(repeating: "x", count: 8_000)
        let answer: FakeSession.Answer = { exchange, header, payload in
            if header.string("op") == "sse" { return LiveStreamedTests.answer(exchange, header, payload) }
            let text = #"{"jsonrpc":"2.0","id":1,"result":{"text":"\#(long)"}}"#
            exchange.end(header: SessionEnd.answered, payload: ByteBuffer(string: text))
        }
        try await FrontFixture.run(answer: answer, configure: { $0.limits.maximumHeldBytes = 1 << 20 }) { front in
            let reader = try await front.connect()
            try await reader.send(LiveStreamedTests.get)
            _ = try await reader.head()
            let endpoint = try await reader.chunk() ?? ""
            let path = String(endpoint.dropFirst("event: endpoint\ndata: ".utf8.count).dropLast(2))
            try await reader.stopReading()
            let client = try await front.connect()
            var status = 202
            for _ in 0..<20_000 where status == 202 {
                try await client.send(HTTPText.post(HTTPText.call(1), path: path))
                status = try await client.reply().status
            }
            #expect(status == 404, "its stream has been closed, and its session is over")
            let held = try await front.onLoop { $0.worker.state.value.table.payloads.answers }
            #expect(held == 0)
            let refusals = try await front.onLoop { $0.worker.state.value.metrics.refusals.map(\.code) }
            #expect(refusals.contains("slow_reader"))
        }
    }

    @Test func `below a public path it says so, and is found there too`() async throws {
        try await FrontFixture.run(
            answer: LiveStreamedTests.answer, configure: { $0.publicURL = "http://localhost:9000/a/b" }
        ) { front in
            let (_, path) = try await LiveStreamedTests.open(front, HTTPText.request("GET /a/b/sse"))
            #expect(path.hasPrefix("/a/b/messages/?session_id="))
            #expect(try await LiveStreamedTests.post(front, path, HTTPText.call(1)).status == 202)
            #expect(try await LiveStreamedTests.post(front, String(path.dropFirst(4)), HTTPText.call(1)).status == 202)
        }
    }
}

import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

@Suite("MCP over HTTP", .timeLimit(.minutes(1))) struct LiveMCPTests {
    @Test func `a request that nothing streams for is answered as JSON, one after the other on one connection`()
        async throws
    {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            for id in 1...3 {
                try await client.send(HTTPText.post(HTTPText.call(id, "ping"), ["Mcp-Session-Id: s"]))
                let reply = try await client.reply()
                #expect(reply.status == 200)
                #expect(reply.value("content-type") == "application/json")
                #expect(reply.value("mcp-session-id") == "session-1")
                #expect(reply.value("connection") == nil)
                #expect(reply.value("date")?.hasSuffix("GMT") == true)
                #expect(reply.body == #"{"jsonrpc":"2.0","id":\#(id),"result":{"method":"ping"}}"#)
            }
        }
    }

    @Test func `the session worker hears who asks, and gets the body as it came`() async throws {
        try await FrontFixture.run { front in
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            let body = #"{ "jsonrpc":"2.0",  "id":"\u0061","method":"ping" }"#
            let client = try await front.connectLocally()
            let fields = ["Mcp-Session-Id: a\"b", "MCP-Protocol-Version: 2025-06-18"]
            try await client.send(HTTPText.post(body, fields, path: "/mcp?names=safe&x=y"))
            guard case .opened(let header, let payload) = await events.next() else {
                Issue.record("nothing was opened")
                return
            }
            let text = try JSONText(validating: ByteBuffer(string: header))
            #expect(text.string("op") == "post")
            #expect(text.string("sid") == "a\"b")
            #expect(text.string("who") == "uid:\(front.configuration.serviceUID)")
            #expect(text.string("names") == "safe")
            #expect(text.string("rid") == "")
            #expect(payload == body)
            _ = try await client.reply()
            // What opens a session is named in every log.
            try await client.send(HTTPText.post(body))
            guard case .opened(let first, _) = await events.next() else { return }
            #expect(try JSONText(validating: ByteBuffer(string: first)).string("rid")?.utf8.count == 36)
            _ = try await client.reply()
        }
    }

    @Test func `a notification is accepted without a body`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#))
            let reply = try await client.reply()
            #expect(reply.status == 202)
            #expect(reply.body == "")
            #expect(reply.value("content-type") == nil)
        }
    }

    @Test func `an answer that streams is an event stream, and the connection is kept`() async throws {
        let answer: FakeSession.Answer = { exchange, _, payload in
            exchange.send(header: .parse(#"{"ev":"1","prime":true}"#))
            exchange.send(header: .parse(#"{"ev":"2"}"#), payload: ByteBuffer(string: "{\"a\":\n1}"))
            exchange.end(header: .parse(#"{"st":200,"ev":"3"}"#), payload: ByteBuffer(string: #"{"b":2}"#))
        }
        try await FrontFixture.run(answer: answer) { front in
            let client = try await front.connect()
            for id in 1...2 {
                try await client.send(HTTPText.post(HTTPText.call(id)))
                let reply = try await client.reply()
                #expect(reply.status == 200)
                #expect(reply.value("content-type") == "text/event-stream")
                #expect(reply.value("cache-control") == "no-cache, no-transform")
                #expect(reply.value("x-accel-buffering") == "no")
                #expect(
                    reply.body == "id: 1\nretry: 1000\ndata: \n\n"
                        + "id: 2\nevent: message\ndata: {\"a\":\ndata: 1}\n\n"
                        + "id: 3\nevent: message\ndata: {\"b\":2}\n\n"
                )
            }
        }
    }

    @Test func `a GET stream carries messages until the session ends it, and says that it is alive`() async throws {
        let answer: FakeSession.Answer = { exchange, header, _ in
            exchange.send(header: .parse(#"{"open":true}"#))
        }
        try await FrontFixture.run(answer: answer, configure: { $0.keepAliveInterval = 0.02 }) { front in
            let client = try await front.connect()
            let fields = ["Accept: text/event-stream", "Mcp-Session-Id: s", "Last-Event-ID: 7"]
            try await client.send(HTTPText.request("GET /mcp", fields))
            #expect(try await client.head().status == 200)
            #expect(try await client.chunk() == ": keep-alive\n\n")
            try await front.onLoop { front in
                let exchange = front.session.value.exchanges[0]
                #expect(exchange.header.string("leid") == "7")
                exchange.end(header: .parse(#"{"ev":"8"}"#), payload: ByteBuffer(string: "{}"))
            }
            var chunk = try await client.chunk()
            while chunk == ": keep-alive\n\n" { chunk = try await client.chunk() }
            #expect(chunk == "id: 8\nevent: message\ndata: {}\n\n")
            #expect(try await client.chunk() == nil)
        }
    }

    @Test func `when a client that listened is gone, it is told which message was the last that had left`() async throws
    {
        let answer: FakeSession.Answer = { exchange, _, _ in
            exchange.send(header: SessionEvent(eventID: "0", isPriming: true).text)
        }
        try await FrontFixture.run(answer: answer) { front in
            for hasRead in [true, false] {
                let client = try await front.connect()
                try await client.send(HTTPText.request("GET /mcp", ["Accept: text/event-stream", "Mcp-Session-Id: s"]))
                #expect(try await client.head().status == 200)
                #expect(try await client.chunk() == "id: 0\nretry: 1000\ndata: \n\n")
                if hasRead {
                    try await front.onLoop { front in
                        let exchange = front.session.value.exchanges.last
                        exchange?.send(header: SessionEvent(eventID: "1").text, payload: ByteBuffer(string: "{}"))
                        exchange?.send(header: .emptyObject, payload: ByteBuffer(string: #"{"a":1}"#))
                    }
                    #expect(try await client.chunk() == "id: 1\nevent: message\ndata: {}\n\n")
                    #expect(try await client.chunk() == "event: message\ndata: {\"a\":1}\n\n")
                }
                // More than sockets hold, and behind it what would fit.
                try await client.stopReading()
                try await front.onLoop { front in
                    let exchange = front.session.value.exchanges.last
                    let long = #"{"a":""# + String(repeating: "x", count: 40 << 20) + #""}"#
                    exchange?.send(header: SessionEvent(eventID: "2").text, payload: ByteBuffer(string: long))
                    exchange?.send(header: SessionEvent(eventID: "3").text, payload: ByteBuffer(string: "{}"))
                }
                try await front.until { $0.worker.state.value.table.payloads.answers > 0 }
                try await client.close()
                let count = hasRead ? 1 : 2
                try await front.until { $0.session.value.ends.count == count }
                let end = try await front.onLoop { $0.session.value.ends.last.flatMap { StreamLeft($0) } }
                #expect(end == StreamLeft(hasRead ? "1" : ""))
            }
        }
    }

    @Test func `DELETE is the session worker's to answer`() async throws {
        let answer: FakeSession.Answer = { exchange, header, _ in
            exchange.end(header: .parse(header.string("sid") == "known" ? #"{"st":204}"# : #"{"st":404}"#))
        }
        try await FrontFixture.run(answer: answer) { front in
            let client = try await front.connect()
            try await client.send(HTTPText.request("DELETE /mcp", ["Mcp-Session-Id: known"]))
            let reply = try await client.head()
            #expect(reply.status == 204)
            #expect(reply.value("content-length") == nil)
            try await client.send(HTTPText.request("DELETE /mcp", ["Mcp-Session-Id: other"]))
            #expect(try await client.reply().status == 404)
        }
    }

    @Test func `a result of 8 MiB arrives whole, over TCP and in chunks`() async throws {
        let large = String(repeating: "x", count: 8 << 20)
        let answer: FakeSession.Answer = { exchange, _, payload in
            if payload?.string("method") == "stream" {
                exchange.send(header: .parse("{}"), payload: ByteBuffer(string: "1"))
            }
            exchange.end(header: .parse(#"{"st":200}"#), payload: ByteBuffer(string: "\"\(large)\""))
        }
        try await FrontFixture.run(answer: answer) { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1)))
            #expect(try await client.reply().body.utf8.count == large.utf8.count + 2)
            try await client.send(HTTPText.post(HTTPText.call(2, "stream")))
            #expect(try await client.reply().body.hasSuffix("\"\n\n"))
        }
    }

    @Test func `a client that does not read holds back its own stream only`() async throws {
        let answer: FakeSession.Answer = { exchange, _, payload in
            guard payload?.string("method") == "flood" else {
                return FrontFixture.echo(exchange, .emptyObject, payload)
            }
            let message = ByteBuffer(string: "\"\(String(repeating: "x", count: 200 << 10))\"")
            for _ in 0..<200 { exchange.send(header: .parse("{}"), payload: message) }
            exchange.end(header: .parse(#"{"st":200}"#), payload: ByteBuffer(string: "{}"))
        }
        try await FrontFixture.run(answer: answer) { front in
            let slow = try await front.connect(reading: false)
            try await slow.send(HTTPText.post(HTTPText.call(1, "flood")))
            let other = try await front.connect()
            for id in 2...20 {
                try await other.send(HTTPText.post(HTTPText.call(id)))
                #expect(try await other.reply().status == 200)
            }
            let isHeldBack = try await front.onLoop { $0.session.value.exchanges[0].isWritable == false }
            #expect(isHeldBack)
            try await slow.startReading()
            #expect(try await slow.reply().body.hasSuffix("data: {}\n\n"))
        }
    }
}

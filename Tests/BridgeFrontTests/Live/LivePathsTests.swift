import BridgeCore
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Both paths on one connection", .timeLimit(.minutes(1))) struct LivePathsTests {
    @Test func `MCP and other routes take turns`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            for id in 1...3 {
                try await client.send(HTTPText.post(HTTPText.call(id)))
                #expect(try await client.reply().body.contains("\"id\":\(id),"))
                try await client.send(HTTPText.request("GET /health/live"))
                #expect(try await client.reply().body == #"{"live":true}"#)
            }
        }
    }

    @Test func `and so they do when they are sent ahead`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            let live = HTTPText.request("GET /health/live")
            let mixed = (1...10).map { HTTPText.post(HTTPText.call($0)) + live + live }.joined()
            try await client.send(mixed + HTTPText.request("GET /health"))
            for id in 1...10 {
                #expect(try await client.reply().body.contains("\"id\":\(id),"))
                for _ in 1...2 { #expect(try await client.reply().body == #"{"live":true}"#) }
            }
            #expect(try await client.reply().body.contains("\"status\":\"ok\""))
        }
    }

    @Test func `only who asks for another route has the router behind it`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1)))
            _ = try await client.reply()
            #expect(try await front.onLoop { $0.worker.state.value.table.withRouter } == 0)
            try await client.send(HTTPText.request("GET /health/live"))
            _ = try await client.reply()
            #expect(try await front.onLoop { $0.worker.state.value.table.withRouter } == 1)
        }
    }

    @Test func `a head that changes is looked at anew`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            for session in ["a", "a", "b", "a"] {
                try await client.send(HTTPText.post(HTTPText.call(1), ["Mcp-Session-Id: \(session)"]))
                #expect(try await client.reply().status == 200)
                guard case .opened(let header, _) = await events.next() else { return }
                #expect(try JSONText(validating: ByteBuffer(string: header)).string("sid") == session)
            }
            try await client.send(HTTPText.post(HTTPText.call(1), ["Mcp-Session-Id: a", "Via: 1.1 x"]))
            #expect(try await client.reply().status == 401)
        }
    }

    @Test func `requests sent ahead before one that is broken are answered, and then that is refused`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send((1...3).map { HTTPText.post(HTTPText.call($0)) }.joined() + "\u{1}\u{2}\r\n\r\n")
            for id in 1...3 { #expect(try await client.reply().body.contains("\"id\":\(id),")) }
            #expect(try await client.reply().status == 400)
            #expect(await client.end() == "")
        }
    }
}

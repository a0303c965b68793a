import NIOCore
import NIOHTTP1
import Testing

@testable import BridgeHTTPClient

@Suite("HTTP connections") struct ConnectionTests {
    @Test func `a Unix socket is asked by any name of its path`() async throws {
        let path = "/tmp/mcp-bridge-test-\(UInt32.random(in: 0...UInt32.max)) a%b.sock"
        let address = try #require(HTTPAddress(socket: path, target: "/mcp?a=1"))
        let script: OddServer.Script = { _, _ in answer("200 OK", "here") }
        let head = try await OddServer.serving(socket: path, script) { server in
            let found = try await connected { try await $0.outcome(of: HTTPRequest(.GET, address)) }
            #expect(found.text == "here")
            return server.requests.first?.head
        }
        #expect(head?.uri == "/mcp?a=1")
        #expect(head?.headers["Host"] == ["localhost"])
    }

    @Test(arguments: [
        ("https://a.example/mcp", "https://a.example/mcp"), ("http://a.example:80", "http://a.example"),
        ("https://a.example/s/ZGVtbzpzZWNyZXQ1/mcp", "https://a.example/s/***/mcp"),
        ("https://a.example/b1946ac9-2d55-4e31-8d4e-0b5a1c2d3e4f/sse", "https://a.example/***/sse"),
        ("https://a.example/abcdefghijklmnopqrstuvwx", "https://a.example/***"),
        ("https://a.example/mcp;key=abc/x", "https://a.example/***/x"),
        ("https://user:pass@a.example:8443/streamable-http/?key=abc", "https://a.example:8443/streamable-http/"),
        ("http://[::1]:81/a-long-name-of-many-words", "http://[::1]:81/a-long-name-of-many-words"),
    ]) func `an address is shown without what may be secret`(text: String, expected: String) throws {
        let address = try #require(HTTPAddress(text))
        #expect("\(address)" == expected)
        for segment in address.secretSegments { #expect(!"\(address)".contains(segment)) }
    }

    @Test func `a connection is used again, and closed when nobody has for a while`() async throws {
        try await OddServer.serving({ _, count in answer("200 OK", "\(count)") }) { server in
            var patient = HTTPConnectionSettings()
            var impatient = patient
            patient.idleTimeout = .hours(1)
            impatient.idleTimeout = .milliseconds(200)
            let asked = try request(server)
            try await connected(patient) { connections in
                for count in 0..<5 {
                    let text = try await connections.outcome(of: asked).text
                    #expect(text == "\(count)")
                }
            }
            #expect(server.connected == 1, "direct: \(Way.isDirect)")
            try await connected(impatient) { connections in
                #expect(try await connections.outcome(of: asked).text == "5")
                // The first one was closed at the end.
                try await server.closed(2)
            }
        }
    }

    @Test func `a connection is not kept as long as the least patient servers keep theirs, which is five seconds`() {
        #expect(HTTPConnectionSettings().idleTimeout == .seconds(4))
    }

    @Test func `requests beyond the most connections wait for each other`() async throws {
        try await OddServer.serving({ _, count in answer("200 OK", "\(count)") }) { server in
            var settings = HTTPConnectionSettings()
            settings.connectionsPerHost = 2
            let asked = try request(server)
            try await connected(settings) { connections in
                let texts = try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<20 { group.addTask { try await connections.outcome(of: asked).text } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(texts) == Set((0..<20).map { "\($0)" }))
            }
            #expect(server.connected <= 2, "direct: \(Way.isDirect)")
        }
    }

    @Test func `a connection whose server says something unasked, or does not want it kept, is not used again`()
        async throws
    {
        let script: OddServer.Script = { _, count in
            switch count {
            case 0: answer("200 OK", "a", headers: "Connection: close")
            case 1: answer("200 OK", "b") + [.text("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")]
            default: answer("200 OK", "c")
            }
        }
        try await OddServer.serving(script) { server in
            let asked = try request(server)
            try await connected { connections in
                #expect(try await connections.outcome(of: asked).text == "a")
                #expect(try await connections.outcome(of: asked).text == "b")
                try await server.closed(2)
                #expect(try await connections.outcome(of: asked).text == "c")
            }
        }
    }

    @Test func `what an HTTP library frames and names is framed and named`() async throws {
        try await OddServer.serving({ _, _ in answer() }) { server in
            try await connected { connections in
                for (method, body) in [(HTTPMethod.POST, "abc"), (.POST, nil), (.GET, nil)] as [(HTTPMethod, String?)] {
                    var asked = try request(server, method, "/a%20b?c=%2F", body: body)
                    asked.headers.add(name: "Content-Length", value: "77")
                    asked.headers.add(name: "Transfer-Encoding", value: "chunked")
                    let found = try await connections.outcome(of: asked)
                    #expect(found.status == 200)
                }
            }
            #expect(server.requests.map { $0.head.headers["Content-Length"] } == [["3"], ["0"], []])
            for head in server.requests.map(\.head) {
                #expect(head.uri == "/a%20b?c=%2F" && head.headers["Transfer-Encoding"].isEmpty)
                #expect(head.headers["Host"] == [String(server.url.dropFirst("http://".count))])
            }
        }
    }

    @Test func `a connection that its server has closed meanwhile is not used again`() async throws {
        let script: OddServer.Script = { _, count in answer("200 OK", "\(count)") + [.close] }
        try await OddServer.serving(script) { server in
            let asked = try request(server)
            try await connected { connections in
                var answered = 0
                for _ in 0..<20 {
                    let before = server.requests.count
                    let found = try await connections.outcome(of: asked)
                    guard found.failure == nil else {
                        // The close was seen while it was on its way: it goes out no second time.
                        #expect(server.requests.count == before)
                        continue
                    }
                    #expect(found.text == "\(before)")
                    answered += 1
                    try await server.left(before + 1)
                    // What the system has for the loop, it sees before what it is given to do here; as a rule, for it may be in
                    // the middle of a turn.
                    try await connections.loop.submit {}.get()
                }
                // Every other one, if the connection were used that was closed.
                #expect(answered > 15)
            }
        }
    }
}

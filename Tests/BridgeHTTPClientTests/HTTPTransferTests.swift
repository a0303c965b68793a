import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import BridgeHTTPClient

@Suite("HTTP transfer") struct HTTPTransferTests {
    @Test func `an answer comes with its head and its body`() async throws {
        try await OddServer.serving({ _, _ in answer("200 OK", "hello") }) { server in
            let found = try await connected { try await $0.outcome(of: request(server, body: "ask")) }
            #expect(found.status == 200 && found.text == "hello" && found.failure == nil)
            #expect(server.requests.map(\.body) == ["ask"])
            #expect(server.requests.first?.head.headers["Content-Length"] == ["3"])
        }
    }

    @Test func `a server that writes byte by byte is read to the end`() async throws {
        let script = OddServer.Step.slowly(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        try await OddServer.serving({ _, _ in [script] }) { server in
            let found = try await connected { try await $0.outcome(of: request(server)) }
            #expect(found.text == "abcde" && found.failure == nil)
        }
    }

    @Test(arguments: [
        "", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ])
    func `a connection that is closed too early is told, and that the request may have run`(beginning: String)
        async throws
    {
        try await OddServer.serving({ _, _ in [.text(beginning), .close] }) { server in
            let found = try await connected { try await $0.outcome(of: request(server)) }
            let failure = try #require(found.failure)
            #expect(failure.mayHaveRun)
            #expect(failure.reason == .closed, "\(failure)")
        }
    }

    @Test func `where nobody listens nothing has run`() async throws {
        let address = try await OddServer.serving({ _, _ in [] }) { server in try #require(HTTPAddress(server.url)) }
        let found = try await connected {
            try await $0.outcome(of: HTTPRequest(.POST, address, body: ByteBuffer(string: "{}")))
        }
        #expect(found.failure == HTTPFailure(.unreachable("Connection refused"), mayHaveRun: false))
    }

    @Test func `a socket that is not there is no connection`() async throws {
        let address = try #require(HTTPAddress(socket: "/tmp/no such/socket"))
        let found = try await connected { try await $0.outcome(of: HTTPRequest(.GET, address)) }
        #expect(found.failure == HTTPFailure(.unreachable("No such file or directory"), mayHaveRun: false))
    }

    @Test func `what is not HTTP is said to be none`() async throws {
        try await OddServer.serving({ _, _ in [.text("220 mail.example ESMTP\r\n\r\n"), .close] }) { server in
            let failure = try #require(try await connected { try await $0.outcome(of: request(server)) }.failure)
            if case .malformed = failure.reason {} else { Issue.record("\(failure)") }
        }
    }

    @Test func `an error status is an answer, with its body`() async throws {
        try await OddServer.serving({ _, _ in answer("401 Unauthorized", "who?", headers: "WWW-Authenticate: Bearer") })
        { server in
            let found = try await connected { try await $0.outcome(of: request(server)) }
            #expect(found.status == 401 && found.text == "who?")
            #expect(found.head?.headers["WWW-Authenticate"] == ["Bearer"])
        }
    }

    @Test func `a header with a line feed is not sent`() async throws {
        try await OddServer.serving({ _, _ in answer() }) { server in
            var bad = try request(server)
            bad.headers.add(name: "X-Token", value: "a\r\nb")
            let found = try await connected { [bad] in try await $0.outcome(of: bad) }
            #expect(found.failure.map { !$0.mayHaveRun } == true)
            if case .badRequest = found.failure?.reason {} else { Issue.record("\(found)") }
            #expect(server.requests.isEmpty)
        }
    }

    @Test func `after the end nothing is sent`() async throws {
        let connections = HTTPConnections(on: MultiThreadedEventLoopGroup.singleton.next())
        try await connections.shutdown().get()
        let address = try #require(HTTPAddress("http://127.0.0.1:1/"))
        let found = try await connections.outcome(of: HTTPRequest(.GET, address))
        #expect(found.failure == HTTPFailure(.shutDown, mayHaveRun: false))
    }

    @Test func `a transfer that is cancelled says no more, and its connection is closed`() async throws {
        try await OddServer.serving({ _, _ in [streamHead(), .text("data: 1\n\n")] }) { server in
            try await connected { connections in
                let found = try await connections.outcome(of: request(server)) { $0.cancel() }
                #expect(found.status == 200 && found.failure == nil)
                try await server.closed()
            }
        }
    }
}

import BridgeCore
import NIOCore
import NIOHTTP1
import Testing

@testable import BridgeHTTPClient

@Suite("MCP session") struct MCPSessionTests {
    /// A server of MCP that is not all there: its answers to the requests behind the handshake are the test's.
    private static func server(_ rest: @escaping @Sendable (OddServer.Request) -> [OddServer.Step]) -> OddServer.Script
    {
        { request, _ in
            if request.body.contains(#""initialize""#) {
                let reply = #"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18"}}"#
                return answer("200 OK", "data: \(reply)\n\n", type: "text/event-stream", headers: "Mcp-Session-Id: s1")
            }
            if request.body.contains("initialized") {
                return answer("202 Accepted", "", headers: "Mcp-Session-Id: other")
            }
            return rest(request)
        }
    }

    private func ask(_ server: OddServer, _ connections: HTTPConnections) async throws -> JSONText {
        let destination = try endpoint(server)
        return try await connections.loop.flatSubmit {
            let session = MCPSession(to: destination, over: connections, client: (name: "test", version: "1"))
            let bound = NIOLoopBound(session, eventLoop: connections.loop)
            return session.open().flatMap { _ in bound.value.request("tools/list", .emptyObject) }
                .flatMap { result in bound.value.end().map { result } }
        }.get()
    }

    @Test func `shakes hands, asks and takes its leave`() async throws {
        let script = Self.server { _ in
            answer(
                "200 OK",
                #"data: {"jsonrpc":"2.0","method":"notifications/message"}"# + "\n\n"
                    + #"data: {"jsonrpc":"2.0","id":2,"result":{"tools":[]}}"# + "\n\n", type: "text/event-stream")
        }
        try await OddServer.serving(script) { server in
            let result = try await connected { try await self.ask(server, $0) }
            #expect("\(result)" == #"{"tools":[]}"#)
            let heads = server.requests.map(\.head)
            #expect(heads.map(\.method) == [.POST, .POST, .POST, .DELETE])
            #expect(heads.map { $0.headers.first(name: "Mcp-Session-Id") } == [nil, "s1", "s1", "s1"])
            #expect(
                heads.map { $0.headers.first(name: "MCP-Protocol-Version") } == [nil]
                    + Array(repeating: "2025-06-18", count: 3))
        }
    }

    @Test(arguments: [
        (
            #"{"jsonrpc":"2.0","id":2,"error":{"code":-32602,"message":"no"}}"#,
            MCPSession.Refusal.error(code: -32602, message: "no")
        ),
        (#"{"jsonrpc":"2.0","id":2}"#, .error(code: nil, message: nil)),
        ("", .noAnswer),
    ])
    func `what is no result is told`(body: String, refusal: MCPSession.Refusal) async throws {
        try await OddServer.serving(Self.server { _ in answer("200 OK", body) }) { server in
            await #expect(throws: refusal) { try await connected { try await self.ask(server, $0) } }
        }
    }

    @Test func `a status without a word is told, and with one it is the word that counts`() async throws {
        try await OddServer.serving(Self.server { _ in answer("401 Unauthorized") }) { server in
            await #expect(throws: MCPSession.Refusal.status(.unauthorized)) {
                try await connected { try await self.ask(server, $0) }
            }
        }
        let script = Self.server { _ in
            answer("404 Not Found", #"{"jsonrpc":"2.0","id":2,"error":{"code":-32600,"message":"gone"}}"#)
        }
        try await OddServer.serving(script) { server in
            let gone = MCPSession.Refusal.error(code: -32600, message: "gone")
            await #expect(throws: gone) { try await connected { try await self.ask(server, $0) } }
        }
    }

    @Test func `a server that hangs up in the middle is a failure`() async throws {
        try await OddServer.serving(Self.server { _ in [streamHead(), .text("data: {"), .close] }) { server in
            await #expect(throws: MCPSession.Refusal.noAnswer) {
                try await connected { try await self.ask(server, $0) }
            }
        }
        try await OddServer.serving(Self.server { _ in [.close] }) { server in
            await #expect(throws: HTTPFailure(.closed, mayHaveRun: true)) {
                try await connected { try await self.ask(server, $0) }
            }
        }
    }
}

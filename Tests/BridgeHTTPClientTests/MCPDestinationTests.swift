import NIOCore
import NIOHTTP1
import Testing

@testable import BridgeHTTPClient

@Suite("MCP destination") struct MCPDestinationTests {
    private func destination() throws -> MCPDestination {
        var destination = MCPDestination(try #require(HTTPAddress("http://127.0.0.1/mcp")))
        destination.headers = HTTPHeaders([("Authorization", "Bearer t"), ("accept", "nothing")])
        return destination
    }

    @Test func `before the handshake nothing is said of a session`() throws {
        let post = try self.destination().post(ByteBuffer(string: "{}"))
        #expect(post.method == .POST)
        #expect(post.body == ByteBuffer(string: "{}"))
        #expect(post.headers["Content-Type"] == ["application/json"])
        #expect(post.headers["Accept"] == ["application/json, text/event-stream"])
        #expect(post.headers["Accept-Encoding"] == ["identity"])
        #expect(post.headers["Authorization"] == ["Bearer t"])
        #expect(post.headers["Mcp-Session-Id"].isEmpty)
        #expect(post.headers["MCP-Protocol-Version"].isEmpty)
    }

    @Test func `every request of a session carries it`() throws {
        var destination = try self.destination()
        destination.session = "s"
        destination.revision = "2025-11-25"
        for request in [destination.post(ByteBuffer()), destination.listen(after: "7"), destination.delete()] {
            #expect(request.headers["Mcp-Session-Id"] == ["s"])
            #expect(request.headers["MCP-Protocol-Version"] == ["2025-11-25"])
            #expect(request.headers["Last-Event-ID"] == (request.method == .GET ? ["7"] : []))
        }
        #expect(destination.listen().headers["Accept"] == ["text/event-stream"])
        #expect(destination.delete().method == .DELETE)
    }
}

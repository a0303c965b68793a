import BridgeCore
import NIOCore
import NIOHTTP1
import Testing

@testable import BridgeFront

@Suite("Endpoints") struct EndpointTests {
    private static let table = EndpointTable(mcpPath: "/a/mcp")

    @Test(arguments: ["/a/mcp", "/a/mcp?names=safe", "/a/mcp/", "//a//mcp", "/a/mcp?"])
    func `its target in every spelling of the router`(target: String) { #expect(Self.table.isMCP(target)) }

    @Test(arguments: ["/", "/a", "/a/mcp/b", "/a/MCP", "a/mcp", "*", "http://x/a/mcp", "/x?/a/mcp"])
    func `no other target`(target: String) { #expect(!Self.table.isMCP(target)) }

    @Test func `three methods are the front's own, the others the router's`() {
        let methods: [(HTTPMethod, Endpoint.Operation?)] = [
            (.POST, .post), (.GET, .get), (.DELETE, .delete), (.HEAD, nil), (.OPTIONS, nil), (.PUT, nil),
        ]
        for (method, operation) in methods {
            #expect(Self.table.endpoint(method, "/a/mcp")?.operation == operation)
        }
    }

    @Test func `a lost batch gets an error for each of its requests`() throws {
        let batch = #"[{"jsonrpc":"2.0","id":1,"method":"x"},{"jsonrpc":"2.0","id":"b","method":"x"}]"#
        let body = try PostBody.read(ByteBuffer(string: batch), limit: 1_000).get()
        let errors = try JSONText(validating: Endpoint.mcp.refusalOfEach(.outcomeUnknown, body))
        var ids: [String] = []
        errors.elements { ids.append(errors[$0].value("id")?.description ?? "") }
        #expect(ids == ["1", "\"b\""])
        #expect(try JSONText(validating: Endpoint.mcp.refusalOfEach(.outcomeUnknown, nil)).value("id") == nil)
    }
}

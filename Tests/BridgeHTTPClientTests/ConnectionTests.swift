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

    @Test func `a connection that its server has closed meanwhile is not used again`() async throws {
        let script: OddServer.Script = { _, count in answer("200 OK", "\(count)") + [.close] }
        try await OddServer.serving(script) { server in
            let asked = try request(server)
            try await connected { connections in
                for count in 0..<20 {
                    let found = try await connections.outcome(of: asked)
                    #expect(found.text == "\(count)")
                    // The close arrives meanwhile, mostly, and nobody is told of it: whether it has or not, the next
                    // request must be answered.
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
        }
    }
}

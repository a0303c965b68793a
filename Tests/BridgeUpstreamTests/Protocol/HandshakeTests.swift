import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Handshake") struct HandshakeTests {
    private func configuration(roots: [Root] = []) -> UpstreamConfiguration {
        UpstreamConfiguration(name: "x", transport: .stdio(StdioLaunch(command: "true")), roots: roots, version: "1.2")
    }

    @Test func `all that any client can be asked is declared`() {
        let old = #""sampling":{"tools":{}},"elicitation":{"form":{},"url":{}},"roots":{"listChanged":false}"#
        let tasks = #"{"sampling":{"createMessage":{}},"elicitation":{"create":{}}}"#
        let all = #"{\#(old),"tasks":{"list":{},"cancel":{},"requests":\#(tasks)}}"#
        let bare = Handshake.parameters(self.configuration())
        #expect(
            "\(bare)"
                == #"{"protocolVersion":"2025-11-25","capabilities":\#(all),"clientInfo":{"name":"mcp-bridge-x-client","version":"1.2"}}"#
        )
        let rooted = Handshake.parameters(self.configuration(roots: [Root(uri: "file:///a")]))
        #expect("\(rooted.value("capabilities") ?? .null)" == all)
        // Tasks came with the newest of these revisions.
        let earlier = Handshake.parameters(self.configuration(), proposing: .v2025_06_18)
        #expect("\(earlier.value("capabilities") ?? .null)" == "{\(old)}")
    }

    @Test(arguments: ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
    func `each legacy revision is accepted`(version: String) throws {
        let text =
            #"{"protocolVersion":"\#(version)","capabilities":{"tools":{}},"serverInfo":{"name":"s"},"instructions":"i"}"#
        let identity = try Handshake.read(JSONText(validating: ByteBuffer(string: text)))
        #expect(identity.revision.name == version)
        #expect(identity.lists(.tools))
        #expect(!identity.lists(.prompts))
        #expect(!identity.logs)
        #expect(identity.instructions?.string == "i")
    }

    @Test func `a server of the draft before the first revision is taken as one of that`() throws {
        let text = #"{"protocolVersion":"2024-10-07","capabilities":{"tools":{}}}"#
        let identity = try Handshake.read(JSONText(validating: ByteBuffer(string: text)))
        #expect(identity.revision == .v2024_11_05)
    }

    @Test(arguments: [
        #"{"protocolVersion":"1999-01-01"}"#, #"{"protocolVersion":"2024-10-08"}"#, #"{"protocolVersion":1}"#, "{}",
        "[]",
    ])
    func `any other answer is not`(json: String) {
        #expect(throws: Handshake.Failure.self) {
            try Handshake.read(JSONText(validating: ByteBuffer(string: json)))
        }
    }

    @Test(arguments: [
        ("ping", #"{"jsonrpc":"2.0","id":"q","result":{}}"#),
        (
            "roots/list",
            #"{"jsonrpc":"2.0","id":"q","result":{"roots":[{"uri":"file:///a","name":"A"},{"uri":"file:///b"}]}}"#
        ),
    ])
    func `what an upstream may ask is answered`(method: String, answer: String) {
        let roots = [Root(uri: "file:///a", name: "A"), Root(uri: "file:///b")]
        let line = ClientMessage.answer(to: method, id: ByteBuffer(string: #""q""#), roots: roots)
        #expect("\(line)" == answer)
    }

    @Test(arguments: ["sampling/createMessage", "elicitation/create", "", "bad\n\"name"])
    func `everything else is refused`(method: String) throws {
        let reply = try JSONText(
            validating: ClientMessage.answer(to: method, id: ByteBuffer(string: "5"), roots: []).bytes)
        #expect(reply.int("id") == 5)
        #expect(reply.value("error")?.int("code") == -32601)
    }
}

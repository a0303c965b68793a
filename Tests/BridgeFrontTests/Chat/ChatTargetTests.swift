import BridgeChat
import NIOHTTP1
import Testing

@testable import BridgeFront

@Suite("Paths of the model APIs") struct ChatTargetTests {
    private static let table = EndpointTable(mcpPath: "/mcp", publicURL: "https://example.org/bridge")

    static let paths: [(String, ChatTarget?)] = [
        ("/v1/chat/completions", .ask(.completions)), ("/chat/completions", .ask(.completions)),
        ("/v1/v1/chat/completions/", .ask(.completions)), ("//v1//chat/completions?a=b", .ask(.completions)),
        ("/v1/responses", .ask(.responses)), ("/responses", .ask(.responses)),
        ("/v1/messages", .ask(.messages)), ("/v1/messages?beta=true", .ask(.messages)),
        ("/v1/v1/messages", .ask(.messages)), ("/messages", .ask(.messages)), ("/v1/messages/", .ask(.messages)),
        ("/v1/messages/count_tokens?beta=true", .count), ("/messages/count_tokens", .count),
        ("/v1/models", .models), ("/models?limit=1000", .models), ("/v1/models/", .models),
        ("/v1/models/gpt-5", .model("gpt-5")), ("/v1/models/org/m:latest", .model("org/m:latest")),
        ("/v1/models/org%2Fm:latest", .model("org/m:latest")), ("/bridge/v1/models", .models),
        ("/v1/chat/completions/chat/completions", .nothing(.completions)), ("/completions", .nothing(.completions)),
        ("/v1/embeddings", .nothing(.completions)), ("/fim/completions", .nothing(.completions)),
        ("/v1/complete", .nothing(.messages)), ("/v1", .nothing(.completions)),
        ("/v1/messages/batches", .nothing(.messages)), ("/v1/responses/resp_1", .nothing(.responses)),
        ("/v1/responses/chat/completions", .nothing(.completions)), ("/v1/files", .nothing(.completions)),
        // What is somebody else's.
        ("/", nil), ("/mcp", nil), ("/sse", nil), ("/messages/", nil), ("/messages/?session_id=1", nil),
        ("/bridge/messages/", nil), ("/health", nil), ("/servers", nil), ("/favicon.ico", nil), ("/v2/models", nil),
        ("*", nil), ("/v1/models/%zz", nil),
    ]

    @Test(arguments: paths.indices)
    func `a path in every spelling of clients`(index: Int) {
        let (path, target) = Self.paths[index]
        #expect(Self.table.chat(path) == target, "\(path)")
    }

    @Test func `the path of MCP may lie below /v1`() {
        let table = EndpointTable(mcpPath: "/v1/responses")
        #expect(table.chat("/v1/responses/") == nil)
    }

    @Test func `errors about models are told as the caller's other headers expect`() {
        let anthropic = RequestFields(HTTPHeaders([("anthropic-version", "2023-06-01")]))
        #expect(ChatTarget.models.dialect(anthropic) == .messages)
        #expect(ChatTarget.models.dialect(RequestFields([:])) == .completions)
        // Elsewhere the path alone says it.
        #expect(ChatTarget.ask(.completions).dialect(anthropic) == .completions)
    }
}

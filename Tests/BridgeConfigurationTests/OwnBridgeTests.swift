import BridgeConfiguration
import Testing

@Suite("A bridge of its own") struct OwnBridgeTests {
    private static let gateway = OwnBridge(configuration: "/home/a/servers.json", command: "gateway stdio")

    @Test func `each file and each command has its own state, the same at every start`() {
        let others = [
            OwnBridge(configuration: "/home/a/servers.json", command: "gateway sse 127.0.0.1:8080"),
            OwnBridge(configuration: "/home/b/servers.json", command: "gateway stdio"),
        ]
        #expect(Set(([Self.gateway] + others).map(\.digest)).count == 3)
        #expect(
            Self.gateway.digest == OwnBridge(configuration: "/home/a/servers.json", command: "gateway stdio").digest)
        #expect(Self.gateway.digest.count == 16)
    }

    @Test func `those that run at the same time are counted`() {
        let first = Self.gateway.folder(1, below: "/state")
        #expect(first == "/state/instances/\(Self.gateway.digest)")
        #expect(Self.gateway.folder(2, below: "/state") == first + "-2")
    }

    @Test func `it takes neither the service's address nor its files nor its servers`() {
        let service = [
            "MCP_BRIDGE_PORT": "8769", "MCP_BRIDGE_HOST": "::1", "MCP_BRIDGE_CONFIG": "/etc/x",
            "MCP_BRIDGE_TOOL_CACHE_PATH": "/cache", "MCP_BRIDGE_OVERSEER_URL": "http://x",
            "STATE_DIRECTORY": "/service",
            "MCP_BRIDGE_SENTINEL_COMMAND": "x", "MCP_BRIDGE_CONFIG_DIR": "/c", "MCP_BRIDGE_LOG_PATH": "/log",
            "HOME": "/h",
        ]
        let own = OwnBridge.environment(service, state: "/own")
        #expect(own == ["STATE_DIRECTORY": "/own", "MCP_BRIDGE_LOG_PATH": "/log", "HOME": "/h"])
        #expect(StatePaths(environment: own).toolCache == "/own/tools-cache.json")
    }
}

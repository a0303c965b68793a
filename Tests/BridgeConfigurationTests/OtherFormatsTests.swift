import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

/// Files of other programs that are no JSON, or hold their servers where nobody looks.
@Suite("Files that cannot be taken") struct OtherFormatsTests {
    @Test(arguments: [
        // Codex CLI's config.toml
        ("model = \"gpt-5\"\n\n[mcp_servers.time]\ncommand = \"uvx\"\nargs = [\"mcp-server-time\"]\n", "TOML"),
        ("[mcp_servers.\"a b\"]\ncommand = \"x\"\n", "TOML"), ("# mine\r\n\r\n[[x]]\r\ny = 1\r\n", "TOML"),
        ("\u{FEFF}[mcp_servers.a]\n", "TOML"), ("approval_policy=\"never\"", "TOML"), ("a.b.c = 1", "TOML"),
        // Continue's and Goose's config.yaml
        ("name: mine\nmcpServers:\n  - name: time\n    command: uvx\n", "YAML"), ("---\nextensions:\n  a: 1\n", "YAML"),
        ("extensions:\n", "YAML"), ("# mine\nmcpServers: {\n", "YAML"),
    ])
    func `a file of another format is named as such`(text: String, format: String) {
        let loaded = Loading.load(text)
        #expect(loaded.configuration == nil)
        #expect(loaded.errors.map(\.message) == ["this is not JSON; it looks like \(format)."])
        #expect(
            loaded.errors.map(\.remedy) == [
                "Only JSON is read: write the servers under 'mcpServers', as the README shows."
            ])
    }

    @Test(arguments: [
        "{", "{\"a\" 1}", "{'a': 1}", "[{]", "[1", "[\"a\" = ]", "\"mcpServers\": {}", "nonsense", "{}}", "<html>", "?",
        "[", "[[", "=", ":", "# nothing",
    ])
    func `JSON with a mistake in it is not taken for anything else`(text: String) {
        let loaded = Loading.load(text)
        #expect(loaded.configuration == nil)
        #expect(!loaded.errors.contains { $0.message.contains("looks like") })
    }

    @Test(arguments: [
        #"{"db": {"command": "x"}}"#, #"{"db": {"url": "https://x"}, "other": 1}"#,
        #"{"db": {"serverUrl": "https://x"}}"#,
    ])
    func `servers with nothing around them are recognised`(text: String) {
        let loaded = Loading.load(text)
        #expect(loaded.warnings.first?.message == "no servers are configured.")
        #expect(loaded.warnings.first?.remedy == "What looks like servers here has to stand under 'mcpServers'.")
    }

    @Test func `a key of another program may be there twice, one of ours may not`() {
        let servers = #""context_servers": {"a": {"command": "x"}}"#
        let loaded = Loading.load("{\"theme\": 1, \"theme\": 2, \(servers)}")
        #expect(loaded.fates?.served == ["a"] && loaded.diagnostics.isEmpty)
        for key in ["context_servers", "mcpServers", "bridge", "projects", "mcp"] {
            let twice = Loading.load("{\"\(key)\": {}, \"\(key)\": {}, \"servers\": {}}")
            #expect(twice.errors.map(\.message) == ["this key is written twice."], "\(key)")
        }
    }
}

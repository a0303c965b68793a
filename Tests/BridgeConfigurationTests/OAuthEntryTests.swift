import NIOCore
import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

@Suite("OAuth of an entry") struct OAuthEntryTests {
    private static let facts = RuntimeFacts(
        runDirectory: "/run/x", statePaths: StatePaths(environment: ["STATE_DIRECTORY": "/state"]),
        sealingKey: Secret("k"), serviceUID: 0, environment: [:], version: "1")

    private func load(
        _ entry: String, bridge: String = "{}", context: LoadingContext = Loading.context
    ) -> LoadedConfiguration {
        Loading.load("{\"mcpServers\": {\"s\": \(entry)}, \"bridge\": \(bridge)}", context: context)
    }

    /// What the worker is told.
    private func told(_ entry: String, bridge: String = "{}") throws -> OAuthSettings? {
        let configuration = try #require(self.load(entry, bridge: bridge).configuration)
        let server = try #require(configuration.upstreams.first)
        return configuration.upstreamConfiguration(for: server, Self.facts).oauth
    }

    @Test func `a server with a url may be signed in to without a word about it`() throws {
        let told = try #require(try self.told(#"{"url": "https://x/mcp"}"#))
        #expect(told.folder == "/state/oauth" && told.olderState == nil && told.key == nil)
        #expect(told.redirects == ["http://127.0.0.1:8770/callback", "http://127.0.0.1:8769/oauth/callback"])
        #expect(told.clientName == "MCP Bridge" && told.scopes == nil && told.pkce == .required)
    }

    @Test(arguments: [
        #"{"command": "x"}"#, #"{"url": "https://x", "oauth": false}"#,
        #"{"url": "https://x", "oauth": {"enabled": false}}"#,
        #"{"url": "https://x", "headers": {"authorization": "Bearer y"}}"#,
    ])
    func `a program, one with a header of its own and one that says so are not signed in to`(entry: String) throws {
        #expect(try self.told(entry) == nil)
    }

    @Test func `every key reaches the worker`() throws {
        let told = try #require(
            try self.told(
                #"""
                {"url": "https://x", "headers": {"Authorization": "Bearer y"}, "oauth": {
                 "clientId": "id", "clientSecret": "${credential:api}", "issuer": "https://as", "scopes": "a b",
                 "offline": true, "grant": "client_credentials", "pkce": "assume-s256", "resource": false,
                 "tokenEndpointAuthMethod": "client_secret_basic", "extraParams": {"audience": "u"}, "clientName": "N",
                 "clientMetadataUrl": "https://c/d", "redirectHost": "localhost", "callbackPort": 9000}}
                """#))
        #expect(told.clientID == "id" && told.clientSecret?.value == "cred-secret" && told.issuer == "https://as")
        #expect(told.scopes == ["a", "b"] && told.offline && told.grant == .clientCredentials)
        #expect(told.pkce == .assumed && told.resource == .none && told.tokenEndpointMethod == .basic)
        #expect(told.extraParameters == ["audience": "u"] && told.clientName == "N")
        #expect(told.clientMetadataURL == "https://c/d")
        #expect(told.redirects == ["http://localhost:9000/callback", "http://127.0.0.1:8769/oauth/callback"])
    }

    @Test func `browsers come back to the public address where there is one`() throws {
        let told = try #require(
            try self.told(
                #"{"url": "https://x"}"#, bridge: #"{"publicURL": "https://b.example", "signIn": {"port": 7000}}"#))
        #expect(told.redirects == ["http://127.0.0.1:7000/callback", "https://b.example/oauth/callback"])
    }

    @Test func `no scopes is not the same as whatever the server says`() throws {
        #expect(try self.told(#"{"url": "https://x", "oauth": {"scopes": []}}"#)?.scopes == [])
        #expect(try self.told(#"{"url": "https://x", "oauth": {"resource": "urn:x"}}"#)?.resource == .uri("urn:x"))
    }

    @Test(arguments: [
        (#"{"clientSecret": "x"}"#, "has a 'clientSecret' without a 'clientId'."),
        (#"{"grant": "client_credentials"}"#, "the grant 'client_credentials' needs a 'clientId'."),
        (#"{"grant": "password"}"#, "must be one of 'authorization_code', 'client_credentials'."),
        (#"{"issuer": "as.example"}"#, "must begin with 'https://'."),
        (#"{"clientID": "x"}"#, "unknown key 'clientID'."),
        (#"{"callbackPort": 0}"#, "must be a whole number from 1 to 65535."),
        (#""yes""#, "must be an object, or false, not a string."),
    ])
    func `what is written wrongly is told`(oauth: String, message: String) {
        let loaded = self.load("{\"url\": \"https://x\", \"oauth\": \(oauth)}")
        #expect(loaded.errors.map(\.message) == [message])
    }

    @Test func `what other programs write there is ignored with a warning`() {
        let loaded = self.load(#"{"url": "https://x", "oauth": {"tokenUrl": "https://x/token", "scopes": ["a"]}}"#)
        #expect(loaded.errors.isEmpty && loaded.warnings.count == 1)
    }

    @Test func `the server of mcp-bridge for Node is as it was registered, and has its state`() throws {
        var context = Loading.context
        context.variables["MCP_BRIDGE_OVERSEER_URL"] = "https://o/mcp"
        let configuration = try #require(ConfigurationLoader(context: context).load(nil).configuration)
        let server = try #require(configuration.upstreams.first)
        let told = try #require(configuration.upstreamConfiguration(for: server, Self.facts).oauth)
        #expect(told.scopes == ["overseer.all"] && told.tokenEndpointMethod == .post)
        #expect(told.olderState == "/state/oauth-state.json")
    }

    // Secrets

    @Test func `a reference is read wherever a value can stand, and shown nowhere`() throws {
        var context = Loading.context
        context.reference = { $0 == "op://v/i/f" ? .known("from-the-vault") : .unknown("no such item") }
        let loaded = self.load(
            #"""
            {"url": "https://x", "headers": {"X-Key": "k ${op://v/i/f}"},
             "oauth": {"clientId": "id", "clientSecret": "op://v/i/f", "extraParams": {"a": "${op://v/i/f}"}}}
            """#, context: context)
        let configuration = try #require(loaded.configuration)
        let server = try #require(configuration.upstreams.first)
        let told = configuration.upstreamConfiguration(for: server, Self.facts)
        #expect(
            told.oauth?.clientSecret?.value == "from-the-vault"
                && told.oauth?.extraParameters == ["a": "from-the-vault"])
        #expect(loaded.diagnostics.isEmpty)
        #expect(!String(buffer: configuration.printed).contains("from-the-vault"))
        #expect(!"\(configuration.servers)".contains("from-the-vault"))
    }

    @Test func `a reference that cannot be read is that server's own trouble`() {
        var context = Loading.context
        context.reference = { _ in .unknown("'op': it ended with status 1: no such item") }
        let loaded = self.load(#"{"command": "x", "env": {"K": "${op://v/i/f}"}}"#, context: context)
        #expect(
            loaded.errors.map(\.message) == ["'op://v/i/f' cannot be read: 'op': it ended with status 1: no such item."]
        )
        #expect(loaded.mistakes.isEmpty)
    }

    @Test func `a plain text that looks like a reference is left to the program`() {
        var context = Loading.context
        context.reference = { _ in .known("must not be asked") }
        let program = Loading.program(self.load(#"{"command": "op", "env": {"K": "op://v/i/f"}}"#, context: context))
        #expect(program?.environment["K"]?.value == "op://v/i/f")
    }
}

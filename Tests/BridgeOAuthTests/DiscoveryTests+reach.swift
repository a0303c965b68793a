import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeOAuth

/// Where discovery may lead.
extension DiscoveryTests {
    @Test(arguments: [
        "http://127.0.0.1:9", "https://127.0.0.1", "https://localhost:8443", "https://x.localhost", "https://[::1]",
        "https://0.0.0.0", "https://127.1", "https://2130706433", "https://0x7f000001", "https://10.0.0.7",
        "https://172.16.1.1", "https://192.168.1.1", "https://169.254.169.254", "https://100.64.0.1",
        "https://[fd00::1]",
        "https://[fe80::1]", "https://[::ffff:127.0.0.1]", "https://[64:ff9b::a00:1]", "https://[2002:7f00:1::1]",
        "https://nas.local", "https://router", "https://127.0.0.1.",
    ]) func `a server elsewhere leads to nothing of this machine or its network, unless the owner says so`(near: String)
        throws
    {
        let named = BearerChallenge(resourceMetadata: near + "/prm")
        let pages = [Self.prm + "/mcp": Self.resource(Fixture.server, "\"\(near)\"")]
        let (step, urls) = try self.look(pages, challenge: named)
        #expect(self.found(step) == nil && urls.allSatisfy { $0.hasPrefix("https://mcp.example/") })
        #expect(self.words(step).contains("oauth.issuer"))
        for endpoint in ["token", "register", "authorize"] {
            let text = Fixture.metadataText().replacing("https://as.example/\(endpoint)", with: near + "/x")
            let (step, _) = try self.look([
                Self.prm + "/mcp": Self.resource(), Self.inserted: Fixture.reply(200, text),
            ])
            #expect(self.found(step) == nil, "\(endpoint)")
        }
        let (_, asked) = try self.look(pages, settings: Fixture.settings { $0.issuer = near })
        #expect(asked.contains { $0.hasPrefix(near + "/") })
    }

    @Test(arguments: [
        ("http://127.0.0.1:5/mcp", "http://127.0.0.1:9"), ("http://127.0.0.1:5/mcp", "https://10.0.0.7"),
        ("http://localhost:5/mcp", "https://as.example"), ("https://192.168.1.2/mcp", "https://10.0.0.7"),
        ("https://nas/mcp", "https://sso.lan"), ("https://mcp.example/mcp", "https://8.8.8.8"),
        ("https://mcp.example/mcp", "https://[2606:4700::1]"), ("https://mcp.example/mcp", "https://10.example"),
    ]) func `who is as near may be led to`(server: String, issuer: String) throws {
        let origin = String(server.dropLast(4))
        let pages = [
            origin + "/.well-known/oauth-protected-resource/mcp": Self.resource(server, "\"\(issuer)\""),
            issuer + "/.well-known/oauth-authorization-server": Fixture.reply(200, Fixture.metadataText(issuer)),
        ]
        #expect(self.found(try self.look(pages, server).step)?.metadata.issuer == issuer)
    }
}

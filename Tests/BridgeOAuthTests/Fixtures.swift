import BridgeConfiguration
import BridgeCore
import NIOCore

@testable import BridgeOAuth

/// What tests of several files begin with.
enum Fixture {
    static let server = "https://mcp.example/mcp"
    static let issuer = "https://as.example"
    static let now = Moment(wall: 1_800_000_000, steady: 5_000)

    static func settings(_ change: (inout OAuthSettings) -> Void = { _ in }) -> OAuthSettings {
        var settings = OAuthSettings(folder: "/nowhere")
        settings.redirects = ["http://127.0.0.1:8770/callback", "https://bridge.example/oauth/callback"]
        change(&settings)
        return settings
    }

    /// As authorization servers say it.
    static func metadataText(_ issuer: String = Fixture.issuer, _ more: String = "") -> String {
        let ends =
            #""authorization_endpoint":"https://as.example/authorize","token_endpoint":"https://as.example/token""#
        return #"{"issuer":"\#(issuer)",\#(ends),"registration_endpoint":"https://as.example/register","#
            + #""revocation_endpoint":"https://as.example/revoke","code_challenge_methods_supported":["S256"]\#(more)}"#
    }

    static func metadata(_ issuer: String = Fixture.issuer, _ more: String = "") throws -> ServerMetadata {
        try ServerMetadata(ByteBuffer(string: Self.metadataText(issuer, more)))
    }

    static func found(_ more: String = "") throws -> Discovered {
        Discovered(resource: Self.server, metadata: try Self.metadata(Self.issuer, more))
    }

    static func client(_ change: (inout ClientRegistration) -> Void = { _ in }) -> ClientRegistration {
        var client = ClientRegistration(
            .registered, issuer: Self.issuer, id: "abc", redirects: Self.settings().redirects,
            registered: Self.now.wall - 100)
        change(&client)
        return client
    }

    static func tokens(_ change: (inout TokenSet) -> Void = { _ in }) -> TokenSet {
        var tokens = TokenSet(
            access: Secret("at-1"), refresh: Secret("rt-1"), issuer: Self.issuer, clientID: "abc", asked: "a b",
            granted: "a b", resource: Self.server, issued: Self.now.wall, expires: Self.now.wall + 3_600)
        change(&tokens)
        return tokens
    }

    /// Signed in, of generation 1.
    static func record(_ change: (inout OAuthRecord) -> Void = { _ in }) throws -> OAuthRecord {
        var record = OAuthRecord(upstream: "github", server: Self.server)
        record.generation = 1
        record.tokens = Self.tokens()
        record.discovered = try Self.found()
        record.registrations = [Self.client()]
        change(&record)
        return record
    }

    static func reply(_ status: Int, _ body: String = "", _ headers: [String: String] = [:]) -> WebAnswer {
        .reply(
            WebReply(
                status: status, headers: headers.map { WebHeader($0.key, $0.value) }, body: ByteBuffer(string: body)))
    }

    /// The next tokens.
    static let good = Fixture.reply(
        200, #"{"access_token":"at-2","token_type":"bearer","expires_in":3600,"refresh_token":"rt-2"}"#)
}

extension WebRequest {
    var form: FormFields { FormFields(self.body ?? "") }
    func header(_ name: String) -> String? { self.headers.first { $0.name == name }?.value }
}

extension WebAnswer {
    struct NoReply: Error {}

    var whole: WebReply {
        get throws {
            guard case .reply(let reply) = self else { throw NoReply() }
            return reply
        }
    }
}

extension TokenVerdict {
    /// The verdict's kind.
    var word: String { String("\(self)".prefix { $0 != "(" }) }
}

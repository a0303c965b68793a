package import BridgeCore
import NIOCore

/// What an authorization server says of itself (RFC 8414, 2).
package struct ServerMetadata: Sendable, Equatable {
    package var issuer: String
    package var authorizationEndpoint: String?
    package var tokenEndpoint: String
    package var registrationEndpoint: String?
    package var revocationEndpoint: String?
    package var deviceEndpoint: String?
    package var scopes: [String]
    /// nil where it says nothing.
    package var challengeMethods: [String]?
    /// nil where it says nothing.
    package var tokenMethods: [String]?
    package var grantTypes: [String]?
    package var takesMetadataDocuments: Bool
    package var sendsIssuer: Bool

    /// - Throws: ``Flaw`` where it is no such document, or names an endpoint that nothing may be sent to.
    init(_ body: ByteBuffer) throws(Flaw) {
        guard let json = try? JSONText(validating: body) else { throw Flaw("it is not JSON") }
        try self.init(json)
    }

    /// Reads what a server has said, or what ``json`` has written.
    package init(_ json: JSONText) throws(Flaw) {
        guard json.kind == .object, let issuer = json.string("issuer"), let token = json.string("token_endpoint") else {
            throw Flaw("it has no 'issuer' or no 'token_endpoint'")
        }
        self.issuer = issuer
        self.tokenEndpoint = try Self.endpoint("token_endpoint", token)
        self.authorizationEndpoint = try Self.endpoint("authorization_endpoint", json)
        self.registrationEndpoint = try Self.endpoint("registration_endpoint", json)
        self.revocationEndpoint = try Self.endpoint("revocation_endpoint", json)
        self.deviceEndpoint = try Self.endpoint("device_authorization_endpoint", json)
        self.scopes = json.strings("scopes_supported")
        self.challengeMethods = Self.list("code_challenge_methods_supported", json)
        self.tokenMethods = Self.list("token_endpoint_auth_methods_supported", json)
        self.grantTypes = Self.list("grant_types_supported", json)
        self.takesMetadataDocuments = json.bool("client_id_metadata_document_supported") ?? false
        self.sendsIssuer = json.bool("authorization_response_iss_parameter_supported") ?? false
    }

    /// What servers of the revision 2025-03-26 have without saying so.
    init(fallbackAt origin: String) {
        self.issuer = origin
        self.authorizationEndpoint = origin + "/authorize"
        self.tokenEndpoint = origin + "/token"
        self.registrationEndpoint = origin + "/register"
        self.scopes = []
        self.challengeMethods = ["S256"]
        self.takesMetadataDocuments = false
        self.sendsIssuer = false
    }

    /// Where something is sent to, or opened.
    var endpoints: [String] {
        [
            self.tokenEndpoint, self.authorizationEndpoint, self.registrationEndpoint, self.revocationEndpoint,
            self.deviceEndpoint,
        ].compactMap { $0 }
    }

    package struct Flaw: Error, Equatable, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }

    private static func list(_ key: StaticString, _ json: JSONText) -> [String]? {
        json.value(key)?.kind == .array ? json.strings(key) : nil
    }

    private static func endpoint(_ key: StaticString, _ json: JSONText) throws(Flaw) -> String? {
        guard let text = json.string(key), !text.isEmpty else { return nil }
        return try Self.endpoint("\(key)", text)
    }

    /// Only what is safe is taken: it is opened in a browser, and sent secrets.
    private static func endpoint(_ name: String, _ text: String) throws(Flaw) -> String {
        guard let address = WebAddress(text) else {
            throw Flaw("its \(name) is no address: '\(ForeignWords.short(text))'")
        }
        guard address.isSafe else { throw Flaw("its \(name) is not https: \(address.shown)") }
        guard address.fragment == nil, !address.hasUserInfo else {
            throw Flaw("its \(name) has a fragment or a user in it: \(address.shown)")
        }
        return text
    }

    /// Whether the document is the one of an issuer: byte for byte, but for a lone slash at the root.
    func isOf(_ issuer: String) -> Bool {
        if self.issuer == issuer { return true }
        return Self.withoutRootSlash(self.issuer) == Self.withoutRootSlash(issuer)
    }

    static func withoutRootSlash(_ issuer: String) -> String {
        guard let address = WebAddress(issuer), address.path == "/", address.query == nil, address.fragment == nil,
            issuer.hasSuffix("/")
        else { return issuer }
        return String(issuer.dropLast())
    }

    /// As it is kept.
    package var json: JSONText {
        JSONWriter.object {
            $0.member("issuer", self.issuer)
            $0.member("authorization_endpoint", ifPresent: self.authorizationEndpoint)
            $0.member("token_endpoint", self.tokenEndpoint)
            $0.member("registration_endpoint", ifPresent: self.registrationEndpoint)
            $0.member("revocation_endpoint", ifPresent: self.revocationEndpoint)
            $0.member("device_authorization_endpoint", ifPresent: self.deviceEndpoint)
            $0.member("scopes_supported", self.scopes)
            $0.member("code_challenge_methods_supported", ifPresent: self.challengeMethods)
            $0.member("token_endpoint_auth_methods_supported", ifPresent: self.tokenMethods)
            $0.member("grant_types_supported", ifPresent: self.grantTypes)
            $0.member("client_id_metadata_document_supported", self.takesMetadataDocuments)
            $0.member("authorization_response_iss_parameter_supported", self.sendsIssuer)
        }
    }
}

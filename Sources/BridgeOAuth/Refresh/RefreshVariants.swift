import BridgeConfiguration
import BridgeCore

/// The ways in which one refresh is asked for: as always, and where that is refused for its form, each other way once.
struct RefreshVariants: Sendable {
    private let endpoint: String?
    private let client: ClientRegistration?
    private let grant: TokenRequest.Grant?
    private let extra: [String: String]
    private var ways: [ClientAuthentication]
    /// The one that is sent first; further ones follow.
    private var scopes: [String?]
    private var resource: String?
    private var hasDroppedResource = false

    init(_ record: OAuthRecord, _ tokens: TokenSet, _ settings: OAuthSettings) {
        let metadata = record.discovered?.metadata
        // A refresh token goes to whoever gave it, and to nobody else.
        self.endpoint = metadata.flatMap { $0.isOf(tokens.issuer) || tokens.issuer.isEmpty ? $0.tokenEndpoint : nil }
        var client = record.client
        if let id = settings.clientID, id == tokens.clientID {
            client?.secret = settings.clientSecret
            client?.kind = .configured
        }
        self.client = client
        self.grant =
            settings.grant == .clientCredentials
            ? .clientCredentials : tokens.refresh.map { TokenRequest.Grant.refresh($0) }
        self.extra = settings.extraParameters
        self.ways = []
        if let client, let metadata {
            self.ways = ClientAuthentication.ways(client, metadata, settings)
            if let last = record.authentication, let at = self.ways.firstIndex(of: last) {
                self.ways.swapAt(0, at)
            }
        }
        var scopes: [String?] = record.sendsNoScope ? [] : [tokens.asked, tokens.granted].filter { $0 != nil }
        if scopes.count == 2, scopes[0] == scopes[1] { scopes.removeLast() }
        self.scopes = scopes + [nil]
        self.resource = record.sendsNoResource ? nil : tokens.resource
    }

    var canAsk: Bool { self.endpoint != nil && self.client != nil && self.grant != nil && !self.ways.isEmpty }

    var request: WebRequest? {
        guard let endpoint, let client, let grant, let way = self.ways.first else { return nil }
        return TokenRequest(
            grant: grant, client: client, authentication: way, scope: self.scopes.first ?? nil, resource: self.resource,
            extra: self.extra
        ).request(to: endpoint)
    }

    /// - Returns: whether there is another way to ask.
    mutating func next(after verdict: TokenVerdict) -> Bool {
        switch verdict {
        case .clientRefused: return self.nextWay()
        case .scopeRefused: return self.nextScope()
        case .resourceRefused: return self.dropResource()
        case .unclear: return self.dropResource() || self.nextScope()
        case .issued, .notSent, .unknown, .later, .redirected, .page, .grantRefused, .grantUnsupported,
            .interactionNeeded, .moved, .pending:
            return false
        }
    }

    private mutating func nextWay() -> Bool {
        guard self.ways.count > 1 else { return false }
        self.ways.removeFirst()
        return true
    }

    private mutating func nextScope() -> Bool {
        guard self.scopes.count > 1 else { return false }
        self.scopes.removeFirst()
        return true
    }

    private mutating func dropResource() -> Bool {
        guard self.resource != nil else { return false }
        self.resource = nil
        self.hasDroppedResource = true
        return true
    }

    /// What was of use is used first the next time.
    func remember(in record: inout OAuthRecord) {
        record.authentication = self.ways.first
        if self.hasDroppedResource { record.sendsNoResource = true }
        if self.scopes.count == 1, record.tokens?.asked != nil { record.sendsNoScope = true }
    }
}

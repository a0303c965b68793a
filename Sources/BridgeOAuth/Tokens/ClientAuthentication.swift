package import BridgeConfiguration
import BridgeCore
import FoundationEssentials

/// How a client shows who it is at the token endpoint: one way per request.
package struct ClientAuthentication: Sendable, Equatable {
    package var method: OAuthSettings.ClientMethod
    /// Basic without form-encoding, for servers that do not decode it.
    package var isRaw: Bool

    package init(method: OAuthSettings.ClientMethod, isRaw: Bool = false) {
        self.method = method
        self.isRaw = isRaw
    }

    /// The ways for a client, in the order in which they are tried: what its registration said, what is configured, what the
    /// server lists, and what servers take without listing it.
    static func ways(
        _ client: ClientRegistration, _ metadata: ServerMetadata, _ settings: OAuthSettings
    ) -> [ClientAuthentication] {
        let hasSecret = client.secret != nil
        var methods: [OAuthSettings.ClientMethod] = []
        if let method = client.kind == .registered ? client.method : nil { methods.append(method) }
        if let method = settings.tokenEndpointMethod { methods.append(method) }
        if methods.isEmpty {
            let listed = metadata.tokenMethods?.compactMap(OAuthSettings.ClientMethod.init(rawValue:))
            // Without a list it is Basic (RFC 8414, 2).
            methods += (listed ?? [.basic]).filter { ($0 != .none) == hasSecret }
        }
        let standard: [OAuthSettings.ClientMethod] = hasSecret ? [.basic, .post] : [.none]
        methods = (methods + standard).filter { hasSecret || $0 == .none }
        var ways: [ClientAuthentication] = []
        for method in methods where !ways.contains(where: { $0.method == method }) {
            ways.append(ClientAuthentication(method: method))
        }
        if let at = ways.firstIndex(where: { $0.method == .basic }), Self.differs(client) {
            ways.insert(ClientAuthentication(method: .basic, isRaw: true), at: at + 1)
        }
        return ways
    }

    /// Whether the encoding of RFC 6749, 2.3.1, changes anything.
    private static func differs(_ client: ClientRegistration) -> Bool {
        [client.id, client.secret?.value ?? ""].contains { FormFields.encode($0) != $0 }
    }

    func apply(_ client: ClientRegistration, to fields: inout FormFields, _ headers: inout [WebHeader]) {
        switch self.method {
        case .none: fields.add("client_id", client.id)
        case .post:
            fields.add("client_id", client.id)
            fields.add("client_secret", client.secret?.value)
        case .basic:
            let secret = client.secret?.value ?? ""
            let pair =
                self.isRaw
                ? "\(client.id):\(secret)" : "\(FormFields.encode(client.id)):\(FormFields.encode(secret))"
            headers.append(WebHeader("Authorization", "Basic \(Data(pair.utf8).base64EncodedString())"))
        }
    }
}

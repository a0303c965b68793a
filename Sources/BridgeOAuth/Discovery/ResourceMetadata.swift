import BridgeConfiguration
import BridgeCore
import NIOCore

/// What a protected resource says of itself (RFC 9728, 2).
package struct ResourceMetadata: Sendable, Equatable {
    package var resource: String
    /// As they are written.
    package var authorizationServers: [String]
    package var scopes: [String]?

    /// - Returns: nil where it is not such a document.
    init?(_ body: ByteBuffer) {
        guard let json = try? JSONText(validating: body), json.kind == .object, let resource = json.string("resource")
        else { return nil }
        self.resource = resource
        self.authorizationServers = json.strings("authorization_servers")
        self.scopes = json.value("scopes_supported").flatMap {
            $0.kind == .array ? json.strings("scopes_supported") : nil
        }
    }

    /// Whether it speaks of the server at an address: of that address, or of one above it in the same origin.
    func isOf(_ server: WebAddress) -> Bool {
        if self.resource == server.text { return true }
        guard let resource = WebAddress(self.resource), resource.isSameOrigin(as: server) else { return false }
        let above = resource.path.hasSuffix("/") ? resource.path : resource.path + "/"
        let path = server.path.hasSuffix("/") ? server.path : server.path + "/"
        return path.hasPrefix(above) && (resource.query == nil || resource.query == server.query)
    }
}

import BridgeConfiguration
import Crypto
import FoundationEssentials

/// Proof that who redeems a code is who asked for it (RFC 7636). S256, always.
enum PKCE {
    /// - Parameter verifier: 43 to 128 unreserved characters.
    static func challenge(of verifier: String) -> String {
        Self.base64URL(SHA256.hash(data: Data(verifier.utf8)))
    }

    static func base64URL(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    enum Verdict: Equatable {
        case good
        /// It is not said, and believed all the same.
        case assumed(String)
        case refused(String)
    }

    /// Whether an authorization server may be used: it must advertise S256 (basic/authorization, 2025-11-25).
    static func verdict(on metadata: ServerMetadata, _ rule: OAuthSettings.PKCE) -> Verdict {
        if let methods = metadata.challengeMethods, methods.contains("S256") { return .good }
        if rule == .assumed { return .assumed("PKCE with S256 is assumed (oauth.pkce)") }
        if metadata.challengeMethods == nil, let name = IssuersWithoutWords.name(of: metadata.issuer) {
            return .assumed("\(name) does PKCE with S256 without saying so")
        }
        return .refused(
            "\(metadata.issuer) does not advertise PKCE with S256 (code_challenge_methods_supported), without which a sign-in "
                + "can be stolen. If it is known to do it, \"oauth\": {\"pkce\": \"assume-s256\"} says so")
    }
}

/// Authorization servers that are known to do PKCE with S256, and do not say so in their metadata.
package enum IssuersWithoutWords {
    private static let hosts: [(suffix: String, name: String)] = [
        ("login.microsoftonline.com", "Microsoft Entra"),
        ("login.microsoftonline.us", "Microsoft Entra"),
        ("login.partner.microsoftonline.cn", "Microsoft Entra"),
        ("sts.windows.net", "Microsoft Entra"),
        (".ciamlogin.com", "Microsoft Entra"),
        (".b2clogin.com", "Azure AD B2C"),
    ]

    /// - Returns: nil where it is none of them.
    package static func name(of issuer: String) -> String? {
        guard let address = WebAddress(issuer), address.scheme == "https" else { return nil }
        if address.host.hasPrefix("cognito-idp."), address.host.hasSuffix(".amazonaws.com") { return "Amazon Cognito" }
        return Self.hosts.first {
            $0.suffix.hasPrefix(".") ? address.host.hasSuffix($0.suffix) : address.host == $0.suffix
        }?
        .name
    }
}

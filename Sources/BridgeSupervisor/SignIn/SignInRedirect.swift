/// Which of an upstream's redirects a sign-in takes, and what has to be open for it.
///
/// The first is the receiver on this machine; the front's own may be another.
struct SignInRedirect: Equatable {
    let redirect: String?
    /// Of the receiver; `nil` where the front takes it at its own door.
    let port: Int?
    /// What will do where the port is somebody else's.
    let otherwise: String?

    /// - Parameter wanted: `local` for the receiver, `front` for the front's own, one of the redirects itself, or nil for
    ///   what works.
    static func choose(_ wanted: String?, among redirects: [String]) -> SignInRedirect {
        let local = redirects.first
        let front = redirects.dropFirst().first
        switch wanted {
        case nil:
            return SignInRedirect(redirect: local, port: local.flatMap(Self.port), otherwise: front)
        case "local":
            return SignInRedirect(redirect: local, port: local.flatMap(Self.port), otherwise: nil)
        case "front":
            return SignInRedirect(redirect: front ?? "front", port: nil, otherwise: nil)
        case let uri?:
            return SignInRedirect(redirect: uri, port: uri == local ? Self.port(uri) : nil, otherwise: nil)
        }
    }

    /// Of `http://127.0.0.1:8770/callback`.
    private static func port(_ uri: String) -> Int? {
        guard let scheme = uri.firstRange(of: "://") else { return nil }
        let authority = uri[scheme.upperBound...].prefix { $0 != "/" }
        return authority.lastIndex(of: ":").flatMap { Int(authority[authority.index(after: $0)...]) }
    }
}

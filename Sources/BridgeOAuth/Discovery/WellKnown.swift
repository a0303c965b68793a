/// Where metadata may lie, in the order in which it is looked for.
enum WellKnown {
    /// RFC 9728, 3.1: by the server's path and query, then at the root.
    static func resource(of server: WebAddress) -> [String] {
        let root = server.origin + "/.well-known/oauth-protected-resource"
        let path = server.path.hasSuffix("/") ? String(server.path.dropLast()) : server.path
        let query = server.query.map { "?\($0)" } ?? ""
        let own = root + path + query
        return own == root ? [root] : [own, root]
    }

    /// RFC 8414, 3.1, and OpenID Connect Discovery, 4: an issuer with a path has three forms, one without has two.
    static func authorizationServer(_ issuer: WebAddress) -> [String] {
        // Of the issuer itself nothing is dropped.
        let path = issuer.path.hasSuffix("/") ? String(issuer.path.dropLast()) : issuer.path
        let inserted = ["oauth-authorization-server", "openid-configuration"].map {
            "\(issuer.origin)/.well-known/\($0)\(path)"
        }
        return path.isEmpty ? inserted : inserted + ["\(issuer.origin)\(path)/.well-known/openid-configuration"]
    }
}

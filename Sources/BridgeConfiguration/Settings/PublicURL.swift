/// How the service is reached from outside.
package enum PublicURL {
    /// The host of `http(s)://host[:port][/path]`; `nil` when it is anything else: a user, a query, another scheme.
    package static func host(of text: String) -> String? {
        let lowered = text.lowercased()
        guard let scheme = ["https://", "http://"].first(where: lowered.hasPrefix) else { return nil }
        let rest = text.dropFirst(scheme.count)
        guard !rest.contains(where: { " ?#@\\\"<>".contains($0) || $0.isNewline || $0 == "\t" }) else { return nil }
        let authority = rest.prefix { $0 != "/" }
        let pattern = OriginPattern("\(scheme)\(authority)")
        guard !authority.contains("*"), pattern.isValid else { return nil }
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return authority[authority.index(after: authority.startIndex)..<end].lowercased()
        }
        return authority.prefix { $0 != ":" }.lowercased()
    }
}

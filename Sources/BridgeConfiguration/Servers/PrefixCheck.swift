/// Finds servers whose tools could not be told apart by name.
///
/// With the separator `.`, a tool `b.c` of the server `a` and a tool `c` of the server `a.b` have the same full name.
enum PrefixCheck {
    /// Pairs of names, the second one being the one to rename.
    static func clashes(among entries: [UpstreamEntry], separator: String) -> [(String, String)] {
        var clashes: [(String, String)] = []
        let shown = entries.filter(\.isEnabled).map { ($0.name, $0.shownPrefix(separator: separator)) }
        for (name, prefix) in shown where !prefix.isEmpty {
            for (other, longer) in shown where other != name && longer != prefix && longer.hasPrefix(prefix) {
                clashes.append((name, other))
            }
        }
        return clashes
    }
}

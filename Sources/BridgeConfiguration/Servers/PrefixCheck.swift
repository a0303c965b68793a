/// Finds servers whose tools could not be told apart by name.
///
/// With the separator `.`, a tool `b.c` of the server `a` and a tool `c` of the server `a.b` have the same full name.
enum PrefixCheck {
    /// Pairs of names, the second one being the one to rename.
    static func clashes(in configuration: BridgeConfiguration) -> [(String, String)] {
        var clashes: [(String, String)] = []
        let separator = configuration.settings.separator
        // Names are fixed by the configuration alone: one that cannot run today has its names all the same.
        let shown =
            configuration.upstreams.map { ($0.name, $0.shownPrefix(separator: separator)) }
            + configuration.failed.map { ($0.name, $0.shownPrefix(separator: separator)) }
        for (name, prefix) in shown where !prefix.isEmpty {
            for (other, longer) in shown where other != name && longer != prefix && longer.hasPrefix(prefix) {
                clashes.append((name, other))
            }
        }
        return clashes
    }
}

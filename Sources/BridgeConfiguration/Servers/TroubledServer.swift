/// A server that is configured and cannot be run, with everything that is wrong about it. The others are served.
package struct TroubledServer: Sendable, Hashable {
    package let name: String
    /// `stdio` or `http`, as far as that could be read; else `unknown`.
    package var kind: String
    /// One that is switched off is nobody's concern.
    package var isEnabled: Bool
    package var prefix: String?
    /// At least one; errors all.
    package private(set) var troubles: [ConfigurationDiagnostic]

    init(name: String, kind: String, isEnabled: Bool, prefix: String?, troubles: [ConfigurationDiagnostic]) {
        self.name = name
        self.kind = kind
        self.isEnabled = isEnabled
        self.prefix = prefix
        self.troubles = troubles
    }

    /// An entry that could be read, and still must not run.
    init(_ entry: UpstreamEntry, _ trouble: ConfigurationDiagnostic) {
        self.init(
            name: entry.name, kind: entry.target.kind, isEnabled: entry.isEnabled, prefix: entry.prefix,
            troubles: [trouble]
        )
    }

    /// As of an ``UpstreamEntry``.
    func shownPrefix(separator: String) -> String {
        let prefix = self.prefix ?? self.name
        return prefix.isEmpty ? "" : prefix + separator
    }

    /// The same with other words for its troubles.
    func map(_ change: (ConfigurationDiagnostic) -> ConfigurationDiagnostic) -> TroubledServer {
        var server = self
        server.troubles = self.troubles.map(change)
        return server
    }

    mutating func add(_ trouble: ConfigurationDiagnostic) { self.troubles.append(trouble) }

    /// What is wrong in a few words, for clients: they can do nothing about it, and need not know where files lie.
    package var reason: String {
        let first = self.troubles.first.map(Self.words) ?? ""
        let more = self.troubles.count > 1 ? ", and \(self.troubles.count - 1) more" : ""
        return "it cannot run with its configuration: \(first.hasSuffix(".") ? String(first.dropLast()) : first)\(more)"
    }

    /// What is wrong and what to do, without a word about where: for everybody.
    package var advice: String {
        self.troubles.map { Self.words($0) + ($0.remedy.map { " \($0)" } ?? "") }.joined(separator: " ")
    }

    /// Most messages say something of a key. Of those that we know the name is told, and of no other: it tells no place.
    private static func words(_ trouble: ConfigurationDiagnostic) -> String {
        let key = ServerKeyTable.known.first { trouble.keyPath.hasSuffix(".\($0)") }
        return (key.map { "'\($0)' " } ?? "") + trouble.message
    }

    /// All of it in one line, for status reports: what is wrong, what to do, where.
    package var text: String {
        self.troubles.map { trouble in
            let remedy = trouble.remedy.map { " \($0)" } ?? ""
            var place = [trouble.file, trouble.position.map { "\($0.line):\($0.column)" }].compactMap(\.self)
                .joined(separator: ":")
            if !trouble.keyPath.isEmpty { place += place.isEmpty ? trouble.keyPath : ", \(trouble.keyPath)" }
            return "\(trouble.message)\(remedy)" + (place.isEmpty ? "" : " (\(place))")
        }.joined(separator: " ")
    }
}

/// What `initialize` tells a model of the servers behind the bridge: their names, and what each says of itself.
package enum Instructions {
    /// What is shown of one server, and of all, in bytes; what is beyond is left out, and that is said.
    package static let maximumOfServer = 4_096
    package static let maximum = 32_768

    /// - Parameters:
    ///   - own: what the configuration says.
    ///   - servers: in the order of the configuration, each with how its names begin, where they do.
    /// - Returns: `nil` where there is nothing to say.
    package static func merged(
        own: String?, servers: [(name: String, prefix: String, text: String?)], separator: String
    ) -> String? {
        var parts = own.map { [$0] } ?? []
        let prefixes = servers.filter { !$0.prefix.isEmpty }.map { "\($0.prefix)\(separator)" }
        if servers.count > 1, !prefixes.isEmpty {
            parts.append("Names begin with the server that has them: \(prefixes.joined(separator: ", ")).")
        }
        var length = parts.reduce(0) { $0 + $1.utf8.count }
        var leftOut = 0
        for (name, _, text) in servers {
            guard let text, !text.allSatisfy(\.isWhitespace) else { continue }
            let part = "## \(name)\n\(self.cut(text))"
            guard length + part.utf8.count <= self.maximum else {
                leftOut += 1
                continue
            }
            length += part.utf8.count
            parts.append(part)
        }
        if leftOut > 0 { parts.append("(The instructions of \(leftOut) further servers are left out.)") }
        return parts.isEmpty ? nil : parts.joined(separator: "\n\n")
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > self.maximumOfServer else { return text }
        var kept = text.prefix(self.maximumOfServer)
        while kept.utf8.count > self.maximumOfServer { kept.removeLast() }
        return kept + "…"
    }
}

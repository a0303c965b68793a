import BridgeMCP

/// A server that is configured and cannot run, for who names something of it.
package struct FailedServer: Sendable, Hashable, Codable {
    package var name: String
    /// How names of what it has begin, in both spellings; empty where that cannot be told.
    package var beginnings: [String]
    /// What is wrong, in a few words.
    package var reason: String

    package init(name: String, beginnings: [String], reason: String) {
        self.name = name
        self.beginnings = beginnings
        self.reason = reason
    }

    init(_ server: TroubledServer, separator: String) {
        let prefix = server.prefix ?? server.name
        self.init(
            name: server.name,
            beginnings: prefix.isEmpty ? [] : [prefix + separator, PublicName.safeBeginning(prefix)],
            reason: server.reason
        )
    }

    /// Whether it may have what a client calls by this name.
    package func mayHave(_ name: String) -> Bool { self.beginnings.contains { name.hasPrefix($0) } }
}

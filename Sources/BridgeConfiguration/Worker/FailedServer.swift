import BridgeMCP

/// A server that is configured and cannot run, for who names something of it.
package struct FailedServer: Sendable, Hashable, Codable {
    package var name: String
    /// How names of what it has begin; empty where that cannot be told.
    package var prefix: String
    /// What is wrong, in a few words.
    package var reason: String

    package init(name: String, prefix: String, reason: String) {
        self.name = name
        self.prefix = prefix
        self.reason = reason
    }

    init(_ server: TroubledServer) {
        self.init(name: server.name, prefix: server.prefix ?? server.name, reason: server.reason)
    }

    /// Whether it may have what a client calls by this name, in either spelling.
    package func mayHave(_ name: String, separator: String) -> Bool {
        !self.prefix.isEmpty && PublicName.mayBe(name, prefix: self.prefix, separator: separator)
    }
}

package import BridgeCore

/// What references within one JSON schema point to, such as `#/$defs/name`. Each is looked for once.
package struct SchemaReferences {
    private let root: JSONText
    private var known: [String: JSONText] = [:]

    private static let maximumKnown = 1_024
    /// In bytes of a reference. No schema is nested as deep as a longer one would go.
    private static let maximumLength = 4_096

    package init(in root: JSONText) { self.root = root }

    /// - Parameter budget: bytes that may still be looked at; what is looked at here is taken off. Nothing is found when it
    ///   is used up.
    package mutating func target(of reference: String, budget: inout Int) -> JSONText? {
        guard reference.hasPrefix("#"), reference.utf8.count <= Self.maximumLength else { return nil }
        if let target = self.known[reference] { return target }
        var target = self.root
        for step in reference.dropFirst().split(separator: "/") {
            budget -= target.count
            guard budget > 0, let name = PercentCoding.decode(String(step)),
                let span = target.member(named: Self.unescaped(name))
            else { return nil }
            target = target[span]
        }
        if self.known.count < Self.maximumKnown { self.known[reference] = target }
        return target
    }

    /// `~1` stands for a slash, `~0` for a tilde (RFC 6901).
    private static func unescaped(_ name: String) -> String {
        name.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
            .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
    }
}

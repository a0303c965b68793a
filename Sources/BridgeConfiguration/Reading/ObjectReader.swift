import BridgeCore

/// Takes an object's members one by one, and tells of those that nobody took.
struct ObjectReader {
    let node: ConfigurationNode
    private let order: [ConfigurationNode.Member]
    private var taken: Set<String> = []

    /// `nil` after having reported that this is no object. A key that is written twice is reported; the first one
    /// counts.
    ///
    /// - Parameters:
    ///   - keys: the only ones that must not be written twice; `nil` is every key.
    ///   - holdsServers: whether each member is a server's, and so is what is wrong about its key.
    init?(
        _ node: ConfigurationNode, once keys: Set<String>? = nil, holdsServers: Bool = false,
        report: inout ConfigurationReport
    ) {
        guard node.kind == .object else {
            report.error(node, "must be an object, not \(node.kindWords).")
            return nil
        }
        var seen: Set<String> = []
        var order: [ConfigurationNode.Member] = []
        for member in node.members {
            if seen.insert(member.key).inserted {
                order.append(member)
            } else if keys?.contains(member.key) ?? true {
                report.add(
                    .error, at: member.keyOffset, member.value.path, "this key is written twice.",
                    remedy: "Remove one of the two.", reach: holdsServers ? .entry(member.key) : nil
                )
            }
        }
        self.node = node
        self.order = order
    }

    /// Members in the order they are written.
    var members: [ConfigurationNode.Member] { self.order }

    /// The value of `key`; `null` counts as absent.
    mutating func take(_ key: String) -> ConfigurationNode? {
        guard let member = self.order.first(where: { $0.key == key }) else { return nil }
        self.taken.insert(key)
        return member.value.kind == .null ? nil : member.value
    }

    /// Members not taken so far.
    var rest: [ConfigurationNode.Member] { self.order.filter { !self.taken.contains($0.key) } }

    /// Reports every member not taken: ignored when in `foreign`, else an error that names the nearest of `known`.
    func finish(known: [String], foreign: Set<String> = [], lenient: Bool, report: inout ConfigurationReport) {
        for member in self.rest where !lenient {
            if foreign.contains(member.key) {
                report.ignored(
                    member.key, at: member.keyOffset, member.value.path,
                    "ignored: '\(member.key)' is a setting of another program."
                )
            } else {
                let nearest = EditDistance.nearest(to: member.key, among: known)
                report.add(
                    .error, at: member.keyOffset, member.value.path, "unknown key '\(member.key)'.",
                    remedy: nearest.map { "The nearest known key is '\($0)'." }
                )
            }
        }
    }
}

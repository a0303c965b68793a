import BridgeCore

/// One method that clients may call, and what the bridge does about it.
package struct Method: Sendable, Hashable {
    /// Who answers.
    package enum Target: Sendable, Hashable {
        /// The bridge by itself.
        case bridge
        /// The merged catalogue.
        case list(Offering)
        /// The server that has the entry which the request names, in the member of its `params` that is the offering's
        /// ``Offering/identity``.
        case entry(Offering)
        /// The server that has the prompt or the resource template which `params.ref` names.
        case reference
        /// The server whose resource `params.uri` names, once for all sessions together: the first one in and the last one
        /// out are heard.
        case subscription(isWanted: Bool)
        /// The server that has the task which `params.taskId` names, if it is the caller's; of the list, the bridge.
        case task
        /// The one server there is: what no table knows may be an extension's.
        case onlyServer
    }

    /// The eras that have the method: those with a handshake, the stateless one, or both.
    package struct Eras: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let handshake = Eras(rawValue: 1)
        package static let stateless = Eras(rawValue: 2)
        package static let both: Eras = [.handshake, .stateless]
    }

    package let name: String
    package let target: Target
    /// Whether it only reads, so that it may be sent a second time when it is not known whether it ran. What changes no more
    /// than who is told of changes counts as that.
    package let onlyReads: Bool
    package let eras: Eras
    /// The server capability that it belongs to.
    package let capability: String?

    package init(
        _ name: String, _ target: Target, onlyReads: Bool, eras: Eras = .both, capability: String? = nil
    ) {
        self.name = name
        self.target = target
        self.onlyReads = onlyReads
        self.eras = eras
        self.capability = capability
    }

    /// The offering that it is about, where it is about one.
    package var offering: Offering? {
        switch self.target {
        case .list(let offering), .entry(let offering): offering
        case .subscription: .resources
        case .bridge, .reference, .task, .onlyServer: nil
        }
    }
}

extension Method {
    /// What the specification has for itself, now or in another era: what is not served of it is served by nobody.
    private static let reserved: Set<Substring> = [
        "completion", "elicitation", "initialize", "logging", "notifications", "ping", "prompts", "resources", "roots",
        "sampling", "server", "subscriptions", "tasks", "tools",
    ]

    /// A method that no revision knows, where that is plain from its name. One that only looks like one of ours in some
    /// server's eyes would get around what filters keep back.
    package static func foreign(_ name: String) -> Method? {
        let isPlain = name.utf8.allSatisfy { PercentCoding.isAlphanumeric($0) || "_-./$".utf8.contains($0) }
        guard isPlain, !name.isEmpty, name.utf8.count <= 128 else { return nil }
        let space = name.lowercased().prefix { PercentCoding.isAlphanumeric($0.asciiValue ?? 0) }
        guard !space.isEmpty, !self.reserved.contains(space) else { return nil }
        return Method(name, .onlyServer, onlyReads: false)
    }
}

/// The methods that are known, by name.
package struct MethodTable: Sendable {
    private let byName: [String: Method]

    package init(_ methods: [Method]) {
        self.byName = Dictionary(methods.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
    }

    package subscript(name: String) -> Method? { self.byName[name] }

    /// The methods of this table for which `isIncluded` holds.
    package func filter(_ isIncluded: (Method) -> Bool) -> MethodTable {
        MethodTable(self.byName.values.filter(isIncluded))
    }

    /// Whether a request of this method may be sent twice. One that nobody knows may do anything.
    package func onlyReads(_ name: String) -> Bool { self.byName[name]?.onlyReads ?? false }

    /// The methods of MCP, all revisions together.
    package static let standard = MethodTable(Self.methods)

    package static let methods: [Method] = [
        Method("initialize", .bridge, onlyReads: true, eras: .handshake),
        Method("ping", .bridge, onlyReads: true, eras: .handshake),
        Method("logging/setLevel", .bridge, onlyReads: false, eras: .handshake, capability: "logging"),
        Method("tools/list", .list(.tools), onlyReads: true, capability: "tools"),
        Method("tools/call", .entry(.tools), onlyReads: false, capability: "tools"),
        Method("prompts/list", .list(.prompts), onlyReads: true, capability: "prompts"),
        Method("prompts/get", .entry(.prompts), onlyReads: true, capability: "prompts"),
        Method("resources/list", .list(.resources), onlyReads: true, capability: "resources"),
        Method("resources/templates/list", .list(.templates), onlyReads: true, capability: "resources"),
        Method("resources/read", .entry(.resources), onlyReads: true, capability: "resources"),
        Method(
            "resources/subscribe", .subscription(isWanted: true), onlyReads: false, eras: .handshake,
            capability: "resources"),
        Method(
            "resources/unsubscribe", .subscription(isWanted: false), onlyReads: false, eras: .handshake,
            capability: "resources"),
        Method("completion/complete", .reference, onlyReads: true, capability: "completions"),
        Method("tasks/get", .task, onlyReads: true, eras: .handshake, capability: "tasks"),
        Method("tasks/result", .task, onlyReads: true, eras: .handshake, capability: "tasks"),
        Method("tasks/list", .task, onlyReads: true, eras: .handshake, capability: "tasks"),
        Method("tasks/cancel", .task, onlyReads: false, eras: .handshake, capability: "tasks"),
    ]
}

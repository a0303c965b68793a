package import BridgeCore

/// A kind of thing that servers list and clients use: MCP has four of them.
///
/// A value and not an enum, so that everything which works by offering (catalogue, cache, frames, lists) takes one more
/// without being changed. Equal when the names are.
package struct Offering: Sendable {
    /// The key of its list in a result (`tools`, `resourceTemplates`), and what frames, cache and status call it: a plural.
    package let name: String
    /// The request that lists it.
    package let listMethod: String
    /// The member of an entry that tells entries apart.
    package let identity: StaticName
    /// The notification that its list has changed; nil where another offering's stands for it.
    package let changed: String?
    /// The server capability that says there is such a list, and that carries `listChanged`.
    package let capability: String
    /// Whether entries get their server's prefix and a safe spelling. What is not renamed keeps its identity as it is.
    package let isRenamed: Bool
    /// What is told of an entry that no server lists. Its sentence may have `{name}`.
    package let unknown: Fault
    /// Whether a request names an entry in `params.name`, which ``RPCMessage`` has found already.
    package let isNamed: Bool

    /// A name that JSON texts are searched for.
    package struct StaticName: Sendable, Hashable {
        package let text: StaticString
        package init(_ text: StaticString) { self.text = text }
        package var string: String { "\(self.text)" }
        package static func == (left: Self, right: Self) -> Bool { left.string == right.string }
        package func hash(into hasher: inout Hasher) { hasher.combine(self.string) }
    }

    package init(
        name: String, listMethod: String, identity: StaticString, changed: String?, capability: String,
        isRenamed: Bool, unknown: Fault = .invalidParams
    ) {
        self.name = name
        self.listMethod = listMethod
        self.identity = StaticName(identity)
        self.changed = changed
        self.capability = capability
        self.isRenamed = isRenamed
        self.unknown = unknown
        self.isNamed = self.identity.string == "name"
    }

    package static let tools = Offering(
        name: "tools", listMethod: "tools/list", identity: "name", changed: "notifications/tools/list_changed",
        capability: "tools", isRenamed: true, unknown: .unknownTool
    )
    package static let prompts = Offering(
        name: "prompts", listMethod: "prompts/list", identity: "name", changed: "notifications/prompts/list_changed",
        capability: "prompts", isRenamed: true, unknown: .unknownPrompt
    )
    package static let resources = Offering(
        name: "resources", listMethod: "resources/list", identity: "uri",
        changed: "notifications/resources/list_changed", capability: "resources", isRenamed: false,
        unknown: .unknownResource
    )
    /// Their list changes with that of resources: MCP has no notification of its own for it.
    package static let templates = Offering(
        name: "resourceTemplates", listMethod: "resources/templates/list", identity: "uriTemplate", changed: nil,
        capability: "resources", isRenamed: false, unknown: .unknownResource
    )

    package static let all: [Offering] = [.tools, .prompts, .resources, .templates]
}

extension Offering {
    /// One of its entries (`tool`).
    package var singular: String { String(self.name.dropLast()) }

    /// What is told of an entry that no server lists.
    package func unknownEntry(_ name: String) -> ToldFault {
        let name = name.prefix(256)
        return self.unknown.told(["name": "\(name)", "what": "Unknown \(self.singular) '\(name)'."])
    }
}

extension Offering: Hashable, CustomStringConvertible {
    package static func == (left: Self, right: Self) -> Bool { left.name == right.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(self.name) }
    package var description: String { self.name }
}

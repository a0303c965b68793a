/// A kind of thing that servers list and clients use: MCP has four of them.
///
/// A value and not an enum, so that everything which works by offering (catalogue, cache, frames, lists) takes one more
/// without being changed.
package struct Offering: Sendable, Hashable {
    /// The key of its list in a result (`tools`, `resourceTemplates`), and what frames, cache and status call it.
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

    /// A name that JSON texts are searched for.
    package struct StaticName: Sendable, Hashable {
        package let text: StaticString
        package init(_ text: StaticString) { self.text = text }
        package var string: String { "\(self.text)" }
        package static func == (left: Self, right: Self) -> Bool { left.string == right.string }
        package func hash(into hasher: inout Hasher) { hasher.combine(self.string) }
    }

    package init(
        name: String, listMethod: String, identity: StaticString, changed: String?, capability: String, isRenamed: Bool
    ) {
        self.name = name
        self.listMethod = listMethod
        self.identity = StaticName(identity)
        self.changed = changed
        self.capability = capability
        self.isRenamed = isRenamed
    }

    package static let tools = Offering(
        name: "tools", listMethod: "tools/list", identity: "name", changed: "notifications/tools/list_changed",
        capability: "tools", isRenamed: true
    )
    package static let prompts = Offering(
        name: "prompts", listMethod: "prompts/list", identity: "name", changed: "notifications/prompts/list_changed",
        capability: "prompts", isRenamed: true
    )
    package static let resources = Offering(
        name: "resources", listMethod: "resources/list", identity: "uri",
        changed: "notifications/resources/list_changed", capability: "resources", isRenamed: false
    )
    /// Their list changes with that of resources: MCP has no notification of its own for it.
    package static let templates = Offering(
        name: "resourceTemplates", listMethod: "resources/templates/list", identity: "uriTemplate", changed: nil,
        capability: "resources", isRenamed: false
    )

    package static let all: [Offering] = [.tools, .prompts, .resources, .templates]
}

extension Offering: CustomStringConvertible {
    package var description: String { self.name }
}

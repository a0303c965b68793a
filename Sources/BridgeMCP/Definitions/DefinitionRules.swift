import BridgeCore

/// What MCP's schemas say about the members of a definition, all revisions together. Members that stand in no rule are not
/// looked at.
struct DefinitionRules: Sendable {
    /// What a member's value must be.
    indirect enum Shape: Sendable {
        case string
        /// A string that has a scheme in front: a URI, not a reference that is relative to one.
        case uri
        case boolean
        case number
        /// What is beyond it is not known to clients: the member is left out.
        case numberWithin(ClosedRange<Double>)
        /// Further words are not known to clients: the member, or the element, is left out.
        case word([String])
        /// This very string; nothing else has a meaning.
        case constant(String)
        case object(DefinitionRules)
        case array(Shape)
    }

    struct Member: Sendable {
        let name: String
        let shape: Shape
        /// Whether the definition means nothing without it.
        var isRequired = false
        /// What a definition without it means.
        var standard: JSONText?
    }

    let members: [Member]

    init(_ members: [Member]) { self.members = members }

    func member(_ name: String) -> Member? { self.members.first { $0.name == name } }

    static let none = DefinitionRules([])

    static func of(_ offering: Offering) -> DefinitionRules {
        switch offering {
        case .tools: Self.tool
        case .prompts: Self.prompt
        case .resources: Self.resource
        case .templates: Self.template
        default: DefinitionRules([Member(name: offering.identity.string, shape: .string, isRequired: true)])
        }
    }

    private static let tool = DefinitionRules(
        [
            Member(name: "name", shape: .string, isRequired: true),
            Member(
                name: "inputSchema", shape: .object(Self.schema), standard: JSONText(literal: #"{"type":"object"}"#)),
            Member(name: "outputSchema", shape: .object(Self.schema)),
            Member(
                name: "annotations",
                shape: .object(
                    DefinitionRules(
                        [Member(name: "title", shape: .string)]
                            + ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"].map {
                                Member(name: $0, shape: .boolean)
                            }))),
            Member(
                name: "execution",
                shape: .object(
                    DefinitionRules([
                        Member(name: "taskSupport", shape: .word(["forbidden", "optional", "required"]))
                    ]))),
        ] + Self.common)

    private static let prompt = DefinitionRules(
        [
            Member(name: "name", shape: .string, isRequired: true),
            Member(
                name: "arguments",
                shape: .array(
                    .object(
                        DefinitionRules([
                            Member(name: "name", shape: .string, isRequired: true),
                            Member(name: "title", shape: .string),
                            Member(name: "description", shape: .string),
                            Member(name: "required", shape: .boolean),
                        ])))),
        ] + Self.common)

    private static let resource = DefinitionRules(
        [
            Member(name: "uri", shape: .uri, isRequired: true),
            Member(name: "size", shape: .number),
        ] + Self.content)

    private static let template = DefinitionRules(
        [Member(name: "uriTemplate", shape: .string, isRequired: true)] + Self.content)

    /// Of resources and their templates.
    private static let content =
        [
            Member(name: "name", shape: .string, isRequired: true),
            Member(name: "mimeType", shape: .string),
            Member(
                name: "annotations",
                shape: .object(
                    DefinitionRules([
                        Member(name: "audience", shape: .array(.word(["user", "assistant"]))),
                        Member(name: "priority", shape: .numberWithin(0...1)),
                        Member(name: "lastModified", shape: .string),
                    ]))),
        ] + Self.common

    private static let common = [
        Member(name: "title", shape: .string),
        Member(name: "description", shape: .string),
        Member(
            name: "icons",
            shape: .array(
                .object(
                    DefinitionRules([
                        Member(name: "src", shape: .uri, isRequired: true),
                        Member(name: "mimeType", shape: .string),
                        Member(name: "sizes", shape: .array(.string)),
                        Member(name: "theme", shape: .word(["light", "dark"])),
                    ])))),
        Member(name: "_meta", shape: .object(.none)),
    ]

    /// Of a JSON Schema only what MCP itself demands; what else stands in it is between server and client.
    private static let schema = DefinitionRules([
        Member(name: "type", shape: .constant("object"), standard: JSONText("object")),
        Member(name: "properties", shape: .object(.none)),
        Member(name: "required", shape: .array(.string)),
    ])
}

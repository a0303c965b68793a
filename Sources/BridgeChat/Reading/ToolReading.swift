import BridgeCore
import NIOCore

/// Reads tools, which differ little from dialect to dialect.
enum ToolReading {
    /// - Parameter name: what the dialect calls the schema.
    static func function(
        _ members: inout MemberReader, schema name: String, remarks: inout ChatRemarks
    ) throws(ChatFault) -> ChatTool {
        ChatTool(
            name: try Self.name(&members), description: try members.string("description"),
            inputSchema: try Self.schema(&members, name, &remarks))
    }

    /// A tool that takes a plain text. What its text must look like goes into the description.
    static func freeform(_ members: inout MemberReader, remarks: inout ChatRemarks) throws(ChatFault) -> ChatTool {
        let name = try Self.name(&members)
        var description = try members.string("description")
        if let format = try members.object("format"), format.string("type") != "text" {
            let definition = (format.value("grammar") ?? format).string("definition") ?? format.compact.description
            description = [description, "The input must follow this grammar:\n\(definition)"].compactMap(\.self)
                .joined(separator: "\n\n")
        }
        remarks.approximate("tools.custom")
        return ChatTool(
            name: name, description: description, inputSchema: ChatTool.freeformSchema, isFreeform: true)
    }

    private static func name(_ members: inout MemberReader) throws(ChatFault) -> String {
        let name = try members.requiredString("name")
        guard ChatTool.isName(name) else {
            throw .invalid(members.path("name"), "1 to 128 letters, digits, '_', '-' and '.' are expected")
        }
        return name
    }

    /// A schema as MCP has them, whose type is `object`. One that lets other values pass as well, or says no type, is one of
    /// objects alone here; one that lets no object pass is none of a tool.
    private static func schema(
        _ members: inout MemberReader, _ name: String, _ remarks: inout ChatRemarks
    ) throws(ChatFault) -> JSONText {
        guard let schema = try members.object(name) else { return ChatTool.emptySchema }
        if schema.string("type") == "object" { return schema }
        guard schema.mayTakeObjects() else {
            let path = members.path(name)
            throw .invalid(
                schema.value("type") == nil ? path : "\(path).type", "a tool's input is an object, and this allows none"
            )
        }
        remarks.approximate("tools.\(name).type")
        return Self.typed(schema)
    }

    private static func typed(_ schema: JSONText) -> JSONText {
        JSONWriter.object { object in
            object.member("type", "object")
            schema.members { key, value in if !(key == "type") { object.member(key.string, schema[value]) } }
        }
    }

    /// Checks what the tools and the choice say together.
    static func check(_ request: inout ChatRequest) throws(ChatFault) {
        var names: Set<String> = []
        for tool in request.tools where !names.insert(tool.name).inserted {
            throw .invalid("tools", "two tools are called \(ChatFault.quoted(tool.name))")
        }
        switch request.toolChoice {
        case .automatic, .none: break
        case .required:
            guard !request.tools.isEmpty else { throw .invalid("tool_choice", "there is no tool to be called") }
        case .tool(let name):
            guard names.contains(name) else {
                throw .invalid("tool_choice", "there is no tool \(ChatFault.quoted(name))")
            }
        }
    }

    /// Leaves only the tools that a choice allows.
    ///
    /// - Parameter allowed: objects with a name each; those of chat completions one level deeper.
    static func allow(_ allowed: [JSONText], in request: inout ChatRequest) {
        let names = Set(
            allowed.compactMap { tool in
                tool.string("name") ?? tool.value("function")?.string("name") ?? tool.value("custom")?.string("name")
            })
        request.tools.removeAll { !names.contains($0.name) }
        request.remarks.approximate("tool_choice.allowed_tools")
    }
}

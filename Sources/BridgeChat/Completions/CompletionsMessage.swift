import BridgeCore

/// Reads one message of a request of chat completions.
enum CompletionsMessage {
    static func read(
        _ text: JSONText, at path: String, into turns: inout ChatTurns, remarks: inout ChatRemarks
    ) throws(ChatFault) {
        var members = try MemberReader(text, at: path)
        let role = try members.requiredString("role")
        switch role {
        case "system", "developer":
            turns.addSystem(try Self.texts(&members, remarks: &remarks))
        case "user":
            let blocks = try Self.content(&members, remarks: &remarks).map { ChatBlock.content($0) }
            turns.add(ChatTurn(.user, blocks.isEmpty ? [.text("")] : blocks))
        case "assistant":
            turns.add(ChatTurn(.assistant, try Self.assistant(&members, remarks: &remarks)))
        case "tool", "function":
            turns.addResult(try Self.result(&members, role: role, remarks: &remarks))
        default:
            throw .invalid("\(path).role", "'system', 'developer', 'user', 'assistant' or 'tool' is expected")
        }
        members.discard("cache_control")
        members.ignoreRest(as: "messages", in: &remarks)
    }

    private static func texts(_ members: inout MemberReader, remarks: inout ChatRemarks) throws(ChatFault) -> [String] {
        let path = members.path("content")
        var texts: [String] = []
        for content in try Self.content(&members, remarks: &remarks) {
            guard case .text(let text) = content else { throw .invalid(path, "a system message is text") }
            texts.append(text)
        }
        return texts
    }

    /// Nothing at all for `null`, an empty string and an empty array.
    private static func content(
        _ members: inout MemberReader, remarks: inout ChatRemarks
    ) throws(ChatFault) -> [ChatContent] {
        guard let content = try members.take("content") else { return [] }
        return try ContentParts.read(content, at: members.path("content"), as: "messages.content", remarks: &remarks)
    }

    private static func assistant(
        _ members: inout MemberReader, remarks: inout ChatRemarks
    ) throws(ChatFault) -> [ChatBlock] {
        var blocks = try Self.content(&members, remarks: &remarks).map { ChatBlock.content($0) }
        if let refusal = try members.string("refusal"), !refusal.isEmpty { blocks.append(.text(refusal)) }
        for (index, call) in (try members.array("tool_calls", atMost: ChatRequest.maximumTools) ?? []).enumerated() {
            blocks.append(.toolUse(try Self.call(call, at: members.path("tool_calls[\(index)]"))))
        }
        if var call = try members.reader("function_call") {
            let name = try call.requiredString("name")
            let input = try Self.arguments(&call)
            blocks.append(.toolUse(ChatToolUse(id: name, name: name, input: input)))
            remarks.approximate("messages.function_call")
        }
        return blocks
    }

    private static func call(_ text: JSONText, at path: String) throws(ChatFault) -> ChatToolUse {
        var members = try MemberReader(text, at: path)
        let id = try members.requiredString("id")
        if var custom = try members.reader("custom") {
            let input = ChatToolUse.freeformInput(try custom.string("input") ?? "")
            return ChatToolUse(id: id, name: try custom.requiredString("name"), input: input, isFreeform: true)
        }
        guard var function = try members.reader("function") else {
            throw .invalid(members.path("function"), "it is missing")
        }
        return ChatToolUse(
            id: id, name: try function.requiredString("name"), input: try Self.arguments(&function))
    }

    /// A text that should be JSON, or the object itself, as careless clients write it.
    static func arguments(_ members: inout MemberReader) throws(ChatFault) -> JSONText {
        guard let arguments = try members.take("arguments") else { return .emptyObject }
        if let text = arguments.string { return ChatToolUse.input(parsing: text) }
        return arguments.kind == .object ? arguments : ChatToolUse.rawInput(arguments.description)
    }

    /// The legacy role has no ids: the name does.
    private static func result(
        _ members: inout MemberReader, role: String, remarks: inout ChatRemarks
    ) throws(ChatFault) -> ChatToolResult {
        if role == "function" {
            remarks.approximate("messages.function")
            let id = try members.requiredString("name")
            return ChatToolResult(id: id, content: try Self.content(&members, remarks: &remarks))
        }
        let id = try members.requiredString("tool_call_id")
        members.discard("name")
        return ChatToolResult(id: id, content: try Self.content(&members, remarks: &remarks))
    }
}

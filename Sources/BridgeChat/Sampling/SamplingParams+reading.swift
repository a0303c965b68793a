package import BridgeCore

extension SamplingParams {
    /// The request that some `params` stand for. The model is the first hint.
    ///
    /// - Throws: what is wrong with them; a JSON-RPC error would say -32602.
    package static func read(_ text: JSONText) throws(ChatFault) -> ChatRequest {
        var params = try MemberReader(text.withWholePairs, at: "")
        var request = ChatRequest(model: "")
        if var preferences = try params.reader("modelPreferences") {
            let hints = try preferences.array("hints", atMost: 1_000) ?? []
            request.model = hints.lazy.compactMap { $0.string("name") }.first ?? ""
        }
        if let system = try params.string("systemPrompt"), !system.isEmpty { request.system = [system] }
        request.temperature = try params.number("temperature")
        request.maximumTokens = try ParameterReading.maximumTokens(&params, "maxTokens")
        request.stopSequences = try ParameterReading.stopSequences(
            &params, "stopSequences", remarks: &request.remarks)
        guard let messages = try params.array("messages", atMost: ChatRequest.maximumTurns) else {
            throw .invalid("messages", "it is missing")
        }
        for (index, message) in messages.enumerated() {
            request.turns.append(try Self.turn(message, at: "messages[\(index)]"))
        }
        for (index, tool) in (try params.array("tools", atMost: ChatRequest.maximumTools) ?? []).enumerated() {
            var members = try MemberReader(tool, at: "tools[\(index)]")
            request.tools.append(
                try ToolReading.function(&members, schema: "inputSchema", remarks: &request.remarks))
        }
        if var choice = try params.reader("toolChoice") {
            request.toolChoice = try CompletionsReader.choice(
                try choice.string("mode") ?? "auto", at: "toolChoice.mode")
        }
        try ToolReading.check(&request)
        return request
    }

    private static func turn(_ text: JSONText, at path: String) throws(ChatFault) -> ChatTurn {
        var members = try MemberReader(text, at: path)
        let role: ChatTurn.Role =
            switch try members.requiredString("role") {
            case "user": .user
            case "assistant": .assistant
            default: throw .invalid("\(path).role", "'user' or 'assistant' is expected")
            }
        guard let content = try members.take("content") else { throw .invalid("\(path).content", "it is missing") }
        var blocks: [ChatBlock] = []
        let elements =
            content.kind == .array
            ? try MemberReader.elements(of: content, atMost: ContentParts.maximum, at: "\(path).content") : [content]
        for block in elements {
            blocks.append(try SamplingContent.block(block, at: "\(path).content"))
        }
        return ChatTurn(role, blocks)
    }
}

/// Reads content as MCP writes it.
enum SamplingContent {
    static func block(_ text: JSONText, at path: String) throws(ChatFault) -> ChatBlock {
        var members = try MemberReader(text, at: path)
        let type = try members.requiredString("type")
        switch type {
        case "tool_use": return .toolUse(try Self.toolUse(&members))
        case "tool_result":
            let id = try members.requiredString("toolUseId")
            var content: [ChatContent] = []
            for part in try members.array("content", atMost: ContentParts.maximum) ?? [] {
                var inner = try MemberReader(part, at: members.path("content"))
                content.append(try Self.content(&inner, type: try inner.requiredString("type")))
            }
            return .toolResult(
                ChatToolResult(id: id, content: content, isError: try members.bool("isError") ?? false))
        default: return .content(try Self.content(&members, type: type))
        }
    }

    static func toolUse(_ members: inout MemberReader) throws(ChatFault) -> ChatToolUse {
        let id = try members.string("id") ?? ""
        let name = try members.requiredString("name")
        let input = try members.take("input") ?? .emptyObject
        return ChatToolUse(
            id: id, name: name,
            input: input.kind == .object ? input : ChatToolUse.input(parsing: input.string ?? input.description))
    }

    private static func content(_ members: inout MemberReader, type: String) throws(ChatFault) -> ChatContent {
        switch type {
        case "text": return .text(try members.requiredString("text"))
        case "image", "audio":
            guard let data = try members.take("data"), let base64 = MediaReading.base64(data) else {
                throw .invalid(members.path("data"), "base64 is expected")
            }
            let media = ChatMedia(base64: base64, mimeType: try members.requiredString("mimeType"))
            return type == "image" ? .image(media) : .audio(media)
        default:
            throw .unsupported(
                members.path("type"), "content of the type \(ChatFault.quoted(type)) cannot be passed on")
        }
    }
}

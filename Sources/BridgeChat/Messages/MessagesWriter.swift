package import BridgeCore

/// Writes a request as Anthropic's messages take it.
package enum MessagesWriter {
    /// The dialect has no default.
    private static let standardMaximumTokens = 4_096

    /// - Parameter keepsExtras: whether members that were only carried go along. They are this dialect's own only where the
    ///   request came in it.
    /// - Throws: for sound, which the dialect has no block for.
    package static func body(_ request: ChatRequest, keepsExtras: Bool = false) throws(ChatFault) -> JSONText {
        try Self.refuseAudio(request)
        return JSONWriter.object { body in
            body.member("model", request.model)
            body.member("max_tokens", request.maximumTokens ?? Self.standardMaximumTokens)
            Self.writeSystem(of: request, to: &body)
            body.memberArray("messages") { messages in
                for turn in request.turns { messages.object { Self.write(turn, to: &$0) } }
            }
            Self.writeTools(of: request, to: &body)
            body.member("temperature", ifPresent: request.temperature.map(ShortNumber.init))
            if !request.stopSequences.isEmpty { body.member("stop_sequences", request.stopSequences) }
            if case .schema(let schema) = request.format {
                body.memberObject("output_config") { config in
                    config.memberObject("format") { format in
                        format.member("type", "json_schema")
                        format.member("schema", schema.schema)
                    }
                }
            }
            if request.isStreamed { body.member("stream", true) }
            if let user = request.user { body.memberObject("metadata") { $0.member("user_id", user) } }
            if keepsExtras { for extra in request.extras { body.member(extra.name, extra.value) } }
        }
    }

    private static func refuseAudio(_ request: ChatRequest) throws(ChatFault) {
        for block in request.turns.lazy.flatMap(\.blocks) {
            let content: [ChatContent] =
                switch block {
                case .content(let content): [content]
                case .toolResult(let result): result.content
                case .toolUse: []
                }
            for case .audio in content {
                throw .unsupported("messages.content", "the source of this model takes no sound")
            }
        }
    }

    /// For an object without a schema the dialect has no member.
    private static func writeSystem(of request: ChatRequest, to body: inout JSONWriter) {
        var texts = request.system
        if request.format == .json, let instruction = request.format.instruction { texts.append(instruction) }
        if texts.isEmpty { return }
        body.memberArray("system") { blocks in
            for text in texts { blocks.object { Self.write(.text(text), to: &$0) } }
        }
    }

    private static func writeTools(of request: ChatRequest, to body: inout JSONWriter) {
        if request.tools.isEmpty { return }
        body.memberArray("tools") { list in
            for tool in request.tools {
                list.object { object in
                    object.member("name", tool.name)
                    object.member("description", ifPresent: tool.description)
                    object.member("input_schema", tool.inputSchema)
                }
            }
        }
        if request.toolChoice == .automatic, request.allowsParallelCalls { return }
        body.memberObject("tool_choice") { choice in
            switch request.toolChoice {
            case .automatic: choice.member("type", "auto")
            case .none: choice.member("type", "none")
            case .required: choice.member("type", "any")
            case .tool(let name):
                choice.member("type", "tool")
                choice.member("name", name)
            }
            if !request.allowsParallelCalls, request.toolChoice != .none {
                choice.member("disable_parallel_tool_use", true)
            }
        }
    }
}

// Messages.
extension MessagesWriter {
    private static func write(_ turn: ChatTurn, to message: inout JSONWriter) {
        message.member("role", CompletionsWriter.role(turn.role))
        message.memberArray("content") { blocks in
            for block in turn.blocks {
                blocks.object { object in
                    switch block {
                    case .content(let content): Self.write(content, to: &object)
                    case .toolUse(let use):
                        object.member("type", "tool_use")
                        object.member("id", use.id)
                        object.member("name", use.name)
                        object.member("input", use.input)
                    case .toolResult(let result): Self.write(result, to: &object)
                    }
                }
            }
        }
    }

    private static func write(_ result: ChatToolResult, to object: inout JSONWriter) {
        object.member("type", "tool_result")
        object.member("tool_use_id", result.id)
        object.memberArray("content") { parts in
            for content in result.content { parts.object { Self.write(content, to: &$0) } }
        }
        if result.isError { object.member("is_error", true) }
    }

    /// Sound has been refused.
    private static func write(_ content: ChatContent, to object: inout JSONWriter) {
        switch content {
        case .text(let text):
            object.member("type", "text")
            object.member("text", text)
        case .image(let media), .audio(let media):
            object.member("type", "image")
            object.memberObject("source") { source in
                source.member("type", "base64")
                source.member("media_type", media.mimeType)
                source.member("data", media.quoted)
            }
        }
    }
}

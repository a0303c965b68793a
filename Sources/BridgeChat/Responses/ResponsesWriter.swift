package import BridgeCore

/// Writes a request as Responses takes it.
package enum ResponsesWriter {
    /// - Parameter keepsExtras: whether members that were only carried go along. They are this dialect's own only where the
    ///   request came in it.
    package static func body(_ request: ChatRequest, keepsExtras: Bool = false) -> JSONText {
        JSONWriter.object { body in
            body.member("model", request.model)
            if !request.system.isEmpty { body.member("instructions", request.system.joined(separator: "\n\n")) }
            body.memberArray("input") { input in for turn in request.turns { Self.write(turn, to: &input) } }
            Self.writeTools(of: request, to: &body)
            body.member("max_output_tokens", ifPresent: request.maximumTokens)
            body.member("temperature", ifPresent: request.temperature.map(ShortNumber.init))
            if !request.stopSequences.isEmpty { body.member("stop", request.stopSequences) }
            if request.format != .text {
                body.memberObject("text") { $0.memberObject("format") { Self.write(request.format, to: &$0) } }
            }
            if request.isStreamed { body.member("stream", true) }
            body.member("user", ifPresent: request.user)
            if keepsExtras { for extra in request.extras { body.member(extra.name, extra.value) } }
        }
    }

    private static func writeTools(of request: ChatRequest, to body: inout JSONWriter) {
        if !request.tools.isEmpty {
            body.memberArray("tools") { list in for tool in request.tools { list.object { Self.write(tool, to: &$0) } }
            }
        }
        switch request.toolChoice {
        case .automatic: break
        case .none: body.member("tool_choice", "none")
        case .required: body.member("tool_choice", "required")
        case .tool(let name):
            let isFreeform = request.tools.contains { $0.name == name && $0.isFreeform }
            body.memberObject("tool_choice") { choice in
                choice.member("type", isFreeform ? "custom" : "function")
                choice.member("name", name)
            }
        }
        if !request.allowsParallelCalls { body.member("parallel_tool_calls", false) }
    }

    /// On one line: it stands in events, too.
    static func write(_ tool: ChatTool, to object: inout JSONWriter) {
        object.member("type", tool.isFreeform ? "custom" : "function")
        object.member("name", tool.name)
        object.member("description", ifPresent: tool.description)
        if tool.isFreeform { return }
        object.member("parameters", tool.inputSchema.compact)
        object.member("strict", false)
    }

    private static func write(_ format: AnswerFormat, to object: inout JSONWriter) {
        switch format {
        case .text: object.member("type", "text")
        case .json: object.member("type", "json_object")
        case .schema(let schema):
            object.member("type", "json_schema")
            object.member("name", ifPresent: schema.name)
            object.member("description", ifPresent: schema.description)
            object.member("schema", schema.schema)
            object.member("strict", schema.isStrict)
        }
    }
}

// Items.
extension ResponsesWriter {
    /// What is said becomes one message; calls and results are items of their own.
    private static func write(_ turn: ChatTurn, to input: inout JSONWriter) {
        let said = turn.blocks.compactMap { if case .content(let content) = $0 { content } else { nil } }
        if !said.isEmpty {
            input.object { message in
                message.member("type", "message")
                message.member("role", CompletionsWriter.role(turn.role))
                message.memberArray("content") { parts in
                    for content in said {
                        parts.object { Self.write(content, isAnswer: turn.role == .assistant, to: &$0) }
                    }
                }
            }
        }
        for block in turn.blocks {
            switch block {
            case .content: break
            case .toolUse(let use): input.object { Self.write(use, to: &$0) }
            case .toolResult(let result): input.object { Self.write(result, to: &$0) }
            }
        }
    }

    private static func write(_ content: ChatContent, isAnswer: Bool, to part: inout JSONWriter) {
        switch content {
        case .text(let text):
            part.member("type", isAnswer ? "output_text" : "input_text")
            part.member("text", text)
        case .image(let media):
            part.member("type", "input_image")
            part.member("image_url", media.dataURL)
        case .audio(let media):
            part.member("type", "input_audio")
            part.memberObject("input_audio") { CompletionsWriter.write(audio: media, to: &$0) }
        }
    }

    private static func write(_ use: ChatToolUse, to item: inout JSONWriter) {
        item.member("type", use.isFreeform ? "custom_tool_call" : "function_call")
        item.member("call_id", use.id)
        item.member("name", use.name)
        if use.isFreeform { item.member("input", use.freeformText) } else { item.member("arguments", use.arguments) }
    }

    private static func write(_ result: ChatToolResult, to item: inout JSONWriter) {
        item.member("type", result.isFreeform ? "custom_tool_call_output" : "function_call_output")
        item.member("call_id", result.id)
        item.memberArray("output") { parts in
            for content in result.content { parts.object { Self.write(content, isAnswer: false, to: &$0) } }
        }
    }
}

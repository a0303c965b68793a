package import BridgeCore
import NIOCore

/// Writes a request as chat completions take it.
package enum CompletionsWriter {
    /// - Parameter keepsExtras: whether members that were only carried go along. They are this dialect's own only where the
    ///   request came in it.
    package static func body(_ request: ChatRequest, keepsExtras: Bool = false) -> JSONText {
        JSONWriter.object { body in
            body.member("model", request.model)
            body.memberArray("messages") { messages in
                for text in request.system {
                    messages.object { message in
                        message.member("role", "system")
                        message.member("content", text)
                    }
                }
                for turn in request.turns { Self.write(turn, to: &messages) }
            }
            Self.writeTools(of: request, to: &body)
            body.member("max_tokens", ifPresent: request.maximumTokens)
            body.member("temperature", ifPresent: request.temperature.map(ShortNumber.init))
            if !request.stopSequences.isEmpty { body.member("stop", request.stopSequences) }
            if request.format != .text { body.memberObject("response_format") { Self.write(request.format, to: &$0) } }
            if request.isStreamed { body.member("stream", true) }
            if request.wantsUsage { body.memberObject("stream_options") { $0.member("include_usage", true) } }
            body.member("user", ifPresent: request.user)
            if keepsExtras { for extra in request.extras { body.member(extra.name, extra.value) } }
        }
    }

    static func role(_ role: ChatTurn.Role) -> String {
        switch role {
        case .user: "user"
        case .assistant: "assistant"
        case .system: "system"
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
                choice.memberObject(isFreeform ? "custom" : "function") { $0.member("name", name) }
            }
        }
        if !request.allowsParallelCalls { body.member("parallel_tool_calls", false) }
    }

    private static func write(_ tool: ChatTool, to object: inout JSONWriter) {
        let kind = tool.isFreeform ? "custom" : "function"
        object.member("type", kind)
        object.memberObject(kind) { function in
            function.member("name", tool.name)
            function.member("description", ifPresent: tool.description)
            if !tool.isFreeform { function.member("parameters", tool.inputSchema) }
        }
    }

    private static func write(_ format: AnswerFormat, to object: inout JSONWriter) {
        switch format {
        case .text: object.member("type", "text")
        case .json: object.member("type", "json_object")
        case .schema(let schema):
            object.member("type", "json_schema")
            object.memberObject("json_schema") { inner in
                inner.member("name", ifPresent: schema.name)
                inner.member("description", ifPresent: schema.description)
                inner.member("schema", schema.schema)
                inner.member("strict", schema.isStrict)
            }
        }
    }
}

// Messages.
extension CompletionsWriter {
    /// Results are messages of their own, and come before what else a user says.
    private static func write(_ turn: ChatTurn, to messages: inout JSONWriter) {
        for case .toolResult(let result) in turn.blocks {
            messages.object { message in
                message.member("role", "tool")
                message.member("tool_call_id", result.id)
                message.memberArray("content") { parts in
                    for content in result.content { parts.object { Self.write(content, to: &$0) } }
                }
            }
        }
        let said = turn.blocks.compactMap { if case .content(let content) = $0 { content } else { nil } }
        let calls = turn.blocks.compactMap { if case .toolUse(let use) = $0 { use } else { nil } }
        guard !said.isEmpty || !calls.isEmpty else { return }
        messages.object { message in
            message.member("role", Self.role(turn.role))
            if said.isEmpty {
                message.memberNull("content")
            } else {
                message.memberArray("content") { parts in
                    for content in said { parts.object { Self.write(content, to: &$0) } }
                }
            }
            if calls.isEmpty { return }
            message.memberArray("tool_calls") { list in
                for call in calls { list.object { CompletionsAnswer.write(call, to: &$0) } }
            }
        }
    }

    private static func write(_ content: ChatContent, to part: inout JSONWriter) {
        switch content {
        case .text(let text):
            part.member("type", "text")
            part.member("text", text)
        case .image(let media):
            part.member("type", "image_url")
            part.memberObject("image_url") { $0.member("url", media.dataURL) }
        case .audio(let media):
            part.member("type", "input_audio")
            part.memberObject("input_audio") { Self.write(audio: media, to: &$0) }
        }
    }

    static func write(audio media: ChatMedia, to object: inout JSONWriter) {
        let format = media.mimeType.split(separator: "/").last ?? "wav"
        object.member("data", media.quoted)
        object.member("format", format == "mpeg" ? "mp3" : format)
    }
}

import BridgeCore

/// The object that Responses answers with, and that some of its events hold.
struct ResponseObject: Sendable {
    enum Progress {
        case begun
        case ended(ChatAnswer)
        case failed(ChatFault)
    }

    let request: ChatRequest
    let identity: ReplyIdentity

    func write(_ progress: Progress, to object: inout JSONWriter) {
        object.member("id", self.identity.id(in: .responses))
        object.member("object", "response")
        object.member("created_at", self.identity.created)
        object.member("status", Self.status(progress))
        object.member("background", false)
        self.writeError(progress, to: &object)
        object.memberNull("instructions")
        object.member("max_output_tokens", self.request.maximumTokens)
        object.member("model", self.identity.model)
        object.memberArray("output") { output in
            guard case .ended(let answer) = progress else { return }
            for (index, item) in answer.blocks.enumerated() {
                output.object { self.write(item, at: index, to: &$0) }
            }
        }
        object.member("parallel_tool_calls", self.request.allowsParallelCalls)
        object.memberNull("previous_response_id")
        object.member("store", false)
        object.member("temperature", self.request.temperature.map(ShortNumber.init))
        object.memberObject("text") { $0.memberObject("format") { $0.member("type", self.formatWord) } }
        self.writeTools(to: &object)
        object.memberNull("top_p")
        object.member("truncation", "disabled")
        self.writeUsage(progress, to: &object)
        object.member("user", self.request.user)
        object.member("metadata", JSONText.emptyObject)
    }

    private static func status(_ progress: Progress) -> String {
        switch progress {
        case .begun: "in_progress"
        case .ended(let answer): Self.incompleteReason(answer) == nil ? "completed" : "incomplete"
        case .failed: "failed"
        }
    }

    static func incompleteReason(_ answer: ChatAnswer) -> String? {
        switch answer.effectiveStop {
        case .maximumTokens: "max_output_tokens"
        case .contentFilter: "content_filter"
        case .endTurn, .toolUse, .stopSequence, .other: nil
        }
    }

    private func writeError(_ progress: Progress, to object: inout JSONWriter) {
        if case .failed(let fault) = progress {
            object.memberObject("error") { error in
                error.member("code", fault.kind.word)
                error.member("message", fault.message)
            }
        } else {
            object.memberNull("error")
        }
        if case .ended(let answer) = progress, let reason = Self.incompleteReason(answer) {
            object.memberObject("incomplete_details") { $0.member("reason", reason) }
        } else {
            object.memberNull("incomplete_details")
        }
    }

    private var formatWord: String {
        switch self.request.format {
        case .text: "text"
        case .json: "json_object"
        case .schema: "json_schema"
        }
    }

    /// The tools that count: those that were ignored are not among them.
    private func writeTools(to object: inout JSONWriter) {
        switch self.request.toolChoice {
        case .automatic: object.member("tool_choice", "auto")
        case .none: object.member("tool_choice", "none")
        case .required: object.member("tool_choice", "required")
        case .tool(let name):
            object.memberObject("tool_choice") { choice in
                choice.member("type", "function")
                choice.member("name", name)
            }
        }
        object.memberArray("tools") { list in
            for tool in self.request.tools { list.object { ResponsesWriter.write(tool, to: &$0) } }
        }
    }

    private func writeUsage(_ progress: Progress, to object: inout JSONWriter) {
        guard case .ended(let answer) = progress else { return object.memberNull("usage") }
        object.memberObject("usage") { usage in
            usage.member("input_tokens", answer.usage.input)
            usage.memberObject("input_tokens_details") { details in
                details.member("cached_tokens", 0)
                details.member("cache_write_tokens", 0)
            }
            usage.member("output_tokens", answer.usage.output)
            usage.memberObject("output_tokens_details") { $0.member("reasoning_tokens", 0) }
            usage.member("total_tokens", answer.usage.total)
            if answer.usage.isEstimate { usage.member("estimated", true) }
        }
    }
}

// Items of the output.
extension ResponseObject {
    func itemID(of item: ChatAnswer.Block, at index: Int) -> String {
        switch item {
        case .text: self.identity.itemID("msg", index)
        case .toolUse(let use): self.identity.itemID(use.isFreeform ? "ctc" : "fc", index)
        }
    }

    /// - Parameter isBegun: whether it is only announced, and empty.
    func write(_ item: ChatAnswer.Block, at index: Int, isBegun: Bool = false, to object: inout JSONWriter) {
        object.member("id", self.itemID(of: item, at: index))
        switch item {
        case .text(let text):
            object.member("type", "message")
            object.member("status", isBegun ? "in_progress" : "completed")
            object.member("role", "assistant")
            object.memberArray("content") { content in
                if !isBegun { content.object { Self.writePart(text, to: &$0) } }
            }
        case .toolUse(let use):
            object.member("type", use.isFreeform ? "custom_tool_call" : "function_call")
            object.member("status", isBegun ? "in_progress" : "completed")
            object.member("call_id", use.id)
            object.member("name", use.name)
            if use.isFreeform {
                object.member("input", isBegun ? "" : use.freeformText)
            } else {
                object.member("arguments", isBegun ? "" : use.arguments)
            }
        }
    }

    static func writePart(_ text: String, to part: inout JSONWriter) {
        part.member("type", "output_text")
        part.member("text", text)
        part.memberArray("annotations") { _ in }
        part.memberArray("logprobs") { _ in }
    }
}

import BridgeCore

/// Chunks of chat completions: role, text, calls, finish reason, usage if asked for, `[DONE]`.
struct CompletionsStream: DialectStream {
    let request: ChatRequest
    let identity: ReplyIdentity
    let options: ChatStream.Options

    mutating func keepAlive(_ events: inout EventWriter) { events.comment() }

    mutating func answer(_ answer: ChatAnswer, _ events: inout EventWriter) {
        let calls = answer.toolUses
        let text = answer.text
        self.delta(&events) { delta in
            delta.member("role", "assistant")
            delta.member("content", calls.isEmpty || !text.isEmpty ? "" : nil)
        }
        for piece in TextPieces(text) {
            self.delta(&events) { $0.member("content", piece) }
        }
        if self.request.knowsOnlyFunctions {
            if let call = calls.first { self.function(call, &events) }
        } else {
            // Without gaps: helpers use the index as one into their own list.
            for (index, call) in calls.enumerated() { self.call(call, at: index, &events) }
        }
        self.finish(answer, &events)
        if self.request.wantsUsage, !self.options.putsUsageOnFinish {
            self.chunk(&events) { chunk in
                chunk.memberArray("choices") { _ in }
                chunk.memberObject("usage") { CompletionsAnswer.write(answer.usage, to: &$0) }
            }
        }
        events.done()
    }

    /// Nothing follows it: no finish reason, no `[DONE]`.
    mutating func fail(_ fault: ChatFault, _ events: inout EventWriter) {
        events.event { fault.writeOpenAI(to: &$0) }
    }

    /// Id and name come once, in the first delta: helpers put repeats together.
    private func call(_ call: ChatToolUse, at index: Int, _ events: inout EventWriter) {
        let kind = call.isFreeform ? "custom" : "function"
        let arguments = call.isFreeform ? "input" : "arguments"
        self.delta(&events) { delta in
            delta.memberArray("tool_calls") { list in
                list.object { object in
                    object.member("index", index)
                    object.member("id", call.id)
                    object.member("type", kind)
                    object.memberObject(kind) { function in
                        function.member("name", call.name)
                        function.member(arguments, "")
                    }
                }
            }
        }
        for piece in TextPieces(call.isFreeform ? call.freeformText : call.arguments) {
            self.delta(&events) { delta in
                delta.memberArray("tool_calls") { list in
                    list.object { object in
                        object.member("index", index)
                        object.memberObject(kind) { $0.member(arguments, piece) }
                    }
                }
            }
        }
    }

    private func function(_ call: ChatToolUse, _ events: inout EventWriter) {
        self.delta(&events) { delta in
            delta.memberObject("function_call") { function in
                function.member("name", call.name)
                function.member("arguments", "")
            }
        }
        for piece in TextPieces(call.arguments) {
            self.delta(&events) { $0.memberObject("function_call") { $0.member("arguments", piece) } }
        }
    }

    private func finish(_ answer: ChatAnswer, _ events: inout EventWriter) {
        self.chunk(&events) { chunk in
            chunk.memberArray("choices") { choices in
                choices.object { choice in
                    choice.member("index", 0)
                    choice.memberObject("delta") { _ in }
                    choice.member("finish_reason", CompletionsAnswer.finishReason(of: answer, for: self.request))
                }
            }
            if self.request.wantsUsage, self.options.putsUsageOnFinish {
                chunk.memberObject("usage") { CompletionsAnswer.write(answer.usage, to: &$0) }
            }
        }
    }

    private func delta(_ events: inout EventWriter, _ body: (inout JSONWriter) -> Void) {
        self.chunk(&events) { chunk in
            chunk.memberArray("choices") { choices in
                choices.object { choice in
                    choice.member("index", 0)
                    choice.memberObject("delta", body)
                    choice.memberNull("finish_reason")
                }
            }
        }
    }

    private func chunk(_ events: inout EventWriter, _ body: (inout JSONWriter) -> Void) {
        events.event { chunk in
            chunk.member("id", self.identity.id(in: .completions))
            chunk.member("object", "chat.completion.chunk")
            chunk.member("created", self.identity.created)
            chunk.member("model", self.identity.model)
            body(&chunk)
        }
    }
}

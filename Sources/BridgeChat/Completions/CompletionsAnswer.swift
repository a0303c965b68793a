package import BridgeCore

/// Answers of chat completions.
package enum CompletionsAnswer {
    /// The body of an answer that is not streamed. `text` and `request_id` are what MCPTokenBridge had.
    ///
    /// - Parameter answer: fitted to the request.
    package static func body(_ answer: ChatAnswer, to request: ChatRequest, identity: ReplyIdentity) -> JSONText {
        JSONWriter.object { body in
            body.member("id", identity.id(in: .completions))
            body.member("object", "chat.completion")
            body.member("created", identity.created)
            body.member("model", identity.model)
            body.memberArray("choices") { choices in
                choices.object { choice in
                    choice.member("index", 0)
                    choice.memberObject("message") { Self.write(answer, for: request, to: &$0) }
                    choice.memberNull("logprobs")
                    choice.member("finish_reason", Self.finishReason(of: answer, for: request))
                }
            }
            body.memberObject("usage") { Self.write(answer.usage, to: &$0) }
            body.member("text", answer.text)
            body.member("request_id", identity.requestID)
        }
    }

    private static func write(_ answer: ChatAnswer, for request: ChatRequest, to message: inout JSONWriter) {
        let calls = answer.toolUses
        let text = answer.text
        message.member("role", "assistant")
        message.member("content", calls.isEmpty || !text.isEmpty ? text : nil)
        message.memberNull("refusal")
        guard let first = calls.first else { return }
        if request.knowsOnlyFunctions {
            message.memberObject("function_call") { call in
                call.member("name", first.name)
                call.member("arguments", first.arguments)
            }
            return
        }
        message.memberArray("tool_calls") { list in
            for call in calls { list.object { Self.write(call, to: &$0) } }
        }
    }

    static func write(_ call: ChatToolUse, to object: inout JSONWriter) {
        object.member("id", call.id)
        if call.isFreeform {
            object.member("type", "custom")
            object.memberObject("custom") { custom in
                custom.member("name", call.name)
                custom.member("input", call.freeformText)
            }
        } else {
            object.member("type", "function")
            object.memberObject("function") { function in
                function.member("name", call.name)
                function.member("arguments", call.arguments)
            }
        }
    }

    static func finishReason(of answer: ChatAnswer, for request: ChatRequest) -> String {
        switch answer.effectiveStop {
        case .endTurn, .stopSequence, .other: "stop"
        case .toolUse: request.knowsOnlyFunctions ? "function_call" : "tool_calls"
        case .maximumTokens: "length"
        case .contentFilter: "content_filter"
        }
    }

    static func write(_ usage: ChatUsage, to object: inout JSONWriter) {
        object.member("prompt_tokens", usage.input)
        object.member("completion_tokens", usage.output)
        object.member("total_tokens", usage.total)
        if usage.isEstimate { object.member("estimated", true) }
    }
}

extension CompletionsAnswer {
    /// The answer that the body of another service is.
    package static func read(_ text: JSONText) throws(ChatFault) -> ChatAnswer {
        try ProviderAnswer.reading { () throws(ChatFault) in
            var body = try MemberReader(text.withWholePairs, at: "")
            guard let choice = try body.array("choices", atMost: 128)?.first else {
                throw .invalid("choices", "there is none")
            }
            var members = try MemberReader(choice, at: "choices[0]")
            guard let message = try members.object("message") else {
                throw .invalid("choices[0].message", "it is missing")
            }
            var turns = ChatTurns()
            var remarks = ChatRemarks()
            try CompletionsMessage.read(message, at: "choices[0].message", into: &turns, remarks: &remarks)
            let stop: ChatAnswer.Stop =
                switch try members.string("finish_reason") {
                case nil, "stop": .endTurn
                case "tool_calls", "function_call": .toolUse
                case "length": .maximumTokens
                case "content_filter": .contentFilter
                case let other?: .other(other)
                }
            var answer = ChatAnswer(
                model: try body.string("model") ?? "", blocks: try ProviderAnswer.blocks(of: turns.turns), stop: stop)
            if let usage = try body.reader("usage") {
                answer.usage = try ProviderAnswer.usage(usage, "prompt_tokens", "completion_tokens")
            }
            return answer
        }
    }
}

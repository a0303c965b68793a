package import BridgeCore

/// Answers of Anthropic's messages.
package enum MessagesAnswer {
    /// The body of an answer that is not streamed. `request_id` is what MCPTokenBridge had.
    ///
    /// - Parameter answer: fitted to the request.
    package static func body(_ answer: ChatAnswer, to request: ChatRequest, identity: ReplyIdentity) -> JSONText {
        JSONWriter.object { body in
            Self.writeHead(identity, to: &body)
            body.memberArray("content") { content in
                for block in answer.blocks { content.object { Self.write(block, to: &$0) } }
            }
            Self.writeStop(of: answer, to: &body)
            body.memberObject("usage") { Self.write(answer.usage, to: &$0) }
            body.member("request_id", identity.requestID)
        }
    }

    static func writeHead(_ identity: ReplyIdentity, to message: inout JSONWriter) {
        message.member("id", identity.id(in: .messages))
        message.member("type", "message")
        message.member("role", "assistant")
        message.member("model", identity.model)
    }

    private static func write(_ block: ChatAnswer.Block, to object: inout JSONWriter) {
        switch block {
        case .text(let text):
            object.member("type", "text")
            object.member("text", text)
        case .toolUse(let use):
            object.member("type", "tool_use")
            object.member("id", use.id)
            object.member("name", use.name)
            object.member("input", use.input)
        }
    }

    static func writeStop(of answer: ChatAnswer, to object: inout JSONWriter) {
        switch answer.effectiveStop {
        case .endTurn, .other: object.member("stop_reason", "end_turn")
        case .toolUse: object.member("stop_reason", "tool_use")
        case .stopSequence: object.member("stop_reason", "stop_sequence")
        case .maximumTokens: object.member("stop_reason", "max_tokens")
        case .contentFilter: object.member("stop_reason", "refusal")
        }
        if case .stopSequence(let sequence) = answer.effectiveStop {
            object.member("stop_sequence", sequence)
        } else {
            object.memberNull("stop_sequence")
        }
    }

    /// All numbers, always: clients crash where one is missing.
    static func write(_ usage: ChatUsage, to object: inout JSONWriter) {
        object.member("input_tokens", usage.input)
        object.member("cache_creation_input_tokens", 0)
        object.member("cache_read_input_tokens", 0)
        object.member("output_tokens", usage.output)
        if usage.isEstimate { object.member("estimated", true) }
    }
}

extension MessagesAnswer {
    /// The answer that the body of another service is.
    package static func read(_ text: JSONText) throws(ChatFault) -> ChatAnswer {
        try ProviderAnswer.reading { () throws(ChatFault) in
            var body = try MemberReader(text.withWholePairs, at: "")
            guard let content = try body.take("content") else { throw .invalid("content", "it is missing") }
            var remarks = ChatRemarks()
            let blocks = try MessagesContent.blocks(content, at: "content", of: .assistant, remarks: &remarks)
            let sequence = try body.string("stop_sequence")
            let stop: ChatAnswer.Stop =
                switch try body.string("stop_reason") {
                case nil, "end_turn": .endTurn
                case "tool_use": .toolUse
                case "stop_sequence": .stopSequence(sequence)
                case "max_tokens": .maximumTokens
                case "refusal": .contentFilter
                case let other?: .other(other)
                }
            var answer = ChatAnswer(
                model: try body.string("model") ?? "",
                blocks: try ProviderAnswer.blocks(of: [ChatTurn(.assistant, blocks)]), stop: stop)
            if let usage = try body.reader("usage") {
                answer.usage = try ProviderAnswer.usage(usage, "input_tokens", "output_tokens")
            }
            return answer
        }
    }
}

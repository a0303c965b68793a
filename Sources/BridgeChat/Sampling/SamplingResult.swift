package import BridgeCore

/// The result of a `sampling/createMessage`.
package enum SamplingResult {
    /// The answer that a result is. Its usage is empty: sampling tells none.
    ///
    /// - Throws: ``ChatFaultKind/badAnswer`` for what is no answer, or holds what no dialect can carry.
    package static func read(_ text: JSONText) throws(ChatFault) -> ChatAnswer {
        do throws(ChatFault) {
            return try Self.answer(text)
        } catch {
            throw ChatFault(
                .badAnswer, "The source's answer cannot be used: \(error.message)", sourceWasAsked: true)
        }
    }

    private static func answer(_ text: JSONText) throws(ChatFault) -> ChatAnswer {
        var result = try MemberReader(text.withWholePairs, at: "")
        // A careless source leaves it out; another role is not an answer.
        guard try result.string("role") ?? "assistant" == "assistant" else {
            throw .invalid("role", "'assistant' is expected")
        }
        guard let content = try result.take("content") else { throw .invalid("content", "it is missing") }
        var blocks: [ChatAnswer.Block] = []
        if let text = content.string {
            blocks.append(.text(text))
        } else {
            let elements =
                content.kind == .array
                ? try MemberReader.elements(of: content, atMost: ContentParts.maximum, at: "content") : [content]
            for element in elements {
                blocks.append(try Self.block(element))
            }
        }
        return ChatAnswer(
            model: try result.string("model") ?? "", blocks: blocks, stop: Self.stop(try result.string("stopReason")))
    }

    private static func block(_ text: JSONText) throws(ChatFault) -> ChatAnswer.Block {
        var members = try MemberReader(text, at: "content")
        switch try members.requiredString("type") {
        case "text": return .text(try members.requiredString("text"))
        case "tool_use": return .toolUse(try SamplingContent.toolUse(&members))
        case let type:
            throw .unsupported("content", "an answer cannot hold content of the type \(ChatFault.quoted(type))")
        }
    }

    /// `stopReason` is an open word: providers' own occur.
    private static func stop(_ word: String?) -> ChatAnswer.Stop {
        switch word {
        case nil, "", "endTurn", "end_turn", "stop": .endTurn
        case "toolUse", "tool_use", "tool_calls": .toolUse
        case "stopSequence", "stop_sequence": .stopSequence(nil)
        case "maxTokens", "max_tokens", "length": .maximumTokens
        case "contentFilter", "content_filter", "refusal": .contentFilter
        case let other?: .other(other)
        }
    }

    /// The result that an answer is.
    ///
    /// - Parameter lists: whether content may be a list (from 2025-11-25 on). Else there is one text, and no call.
    package static func text(_ answer: ChatAnswer, lists: Bool = true) -> JSONText {
        JSONWriter.object { result in
            result.member("role", "assistant")
            let blocks = answer.blocks.map { block -> SamplingBlock in
                switch block {
                case .text(let text): SamplingBlock(block: .text(text))
                case .toolUse(let use): SamplingBlock(block: .toolUse(use))
                }
            }
            if lists, blocks.count > 1 || !answer.toolUses.isEmpty {
                result.member("content", blocks)
            } else {
                result.member("content", SamplingBlock(block: .text(answer.text)))
            }
            result.member("model", answer.model)
            result.member("stopReason", Self.word(answer.effectiveStop))
        }
    }

    private static func word(_ stop: ChatAnswer.Stop) -> String {
        switch stop {
        case .endTurn: "endTurn"
        case .toolUse: "toolUse"
        case .stopSequence: "stopSequence"
        case .maximumTokens: "maxTokens"
        case .contentFilter: "contentFilter"
        case .other(let word): word
        }
    }
}

/// The error that a client answers a `sampling/createMessage` with.
package enum SamplingError {
    /// -1 is "User rejected sampling request" in the specification; VS Code says -32000 to the same. SDKs make that code
    /// for lost connections, too, and never send it.
    package static func fault(code: Int, message: String) -> ChatFault {
        switch code {
        case -1, -32000:
            ChatFault(.samplingRefused, "The source refused: \(message)", sourceWasAsked: true)
        case -32602:
            ChatFault(.badAnswer, "The source does not accept the request: \(message)", sourceWasAsked: true)
        case -32601:
            ChatFault(.badAnswer, "The source cannot sample: \(message)", sourceWasAsked: true)
        default:
            ChatFault(.badAnswer, "The source failed: \(message)", sourceWasAsked: true)
        }
    }
}

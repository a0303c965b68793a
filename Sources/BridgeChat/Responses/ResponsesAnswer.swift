package import BridgeCore

/// Answers of Responses.
package enum ResponsesAnswer {
    /// The body of an answer that is not streamed.
    ///
    /// - Parameter answer: fitted to the request.
    package static func body(_ answer: ChatAnswer, to request: ChatRequest, identity: ReplyIdentity) -> JSONText {
        JSONWriter.object { ResponseObject(request: request, identity: identity).write(.ended(answer), to: &$0) }
    }
}

extension ResponsesAnswer {
    /// The answer that the body of another service is.
    package static func read(_ text: JSONText) throws(ChatFault) -> ChatAnswer {
        try ProviderAnswer.reading { () throws(ChatFault) in
            var body = try MemberReader(text.withWholePairs, at: "")
            guard let output = try body.take("output") else { throw .invalid("output", "it is missing") }
            var turns = ChatTurns()
            var remarks = ChatRemarks()
            try ResponsesItems.read(output, at: "output", into: &turns, remarks: &remarks)
            var details = try body.reader("incomplete_details")
            let reason = try details?.string("reason")
            let stop: ChatAnswer.Stop =
                switch (try body.string("status"), reason) {
                case ("incomplete", "max_output_tokens"): .maximumTokens
                case ("incomplete", "content_filter"): .contentFilter
                case ("incomplete", let reason?): .other(reason)
                case ("failed", _), ("cancelled", _): throw .invalid("status", "it has failed")
                default: .endTurn
                }
            var answer = ChatAnswer(
                model: try body.string("model") ?? "", blocks: try ProviderAnswer.blocks(of: turns.turns), stop: stop)
            if answer.stop == .endTurn, !answer.toolUses.isEmpty { answer.stop = .toolUse }
            if let usage = try body.reader("usage") {
                answer.usage = try ProviderAnswer.usage(usage, "input_tokens", "output_tokens")
            }
            return answer
        }
    }
}

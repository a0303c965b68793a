import BridgeCore

/// What one message is to the request on whose own stream, or in whose own body, it came. Pure.
///
/// An answer belongs to the request that it came for, whatever it says: there are servers that answer errors under an id
/// of their own, or none.
struct AnswerMatch {
    /// The message as it should have been.
    let message: JSONText
    /// The request that it answers.
    let answered: Int?
    /// Whether somebody may be asked something by it, or has been.
    let asks: Bool

    private init(_ message: JSONText, answering request: Int?, asks: Bool = false) {
        self.message = message
        self.answered = request
        self.asks = asks
    }

    /// - Parameters:
    ///   - own: the request, while it has no answer.
    ///   - isPending: whether there is another request of this id without an answer.
    static func match(_ text: JSONText, to own: Int?, isPending: (Int) -> Bool) -> AnswerMatch {
        guard let message = try? RPCMessage(text) else { return self.match(odd: text, to: own, isPending) }
        guard message.shape == .result || message.shape == .error else {
            let asks = message.shape == .request && message.method != "ping"
            return AnswerMatch(text, answering: nil, asks: asks)
        }
        let id = message.id.flatMap { message.text[$0].ownNumber }
        if let id, id == own || isPending(id) { return AnswerMatch(text, answering: id) }
        guard let own else { return AnswerMatch(text, answering: nil) }
        if let span = message.id {
            return AnswerMatch(message.text.replacing(span, with: JSONText(own).bytes), answering: own)
        }
        return self.answer(OddMessage(text), text, to: own)
    }

    /// What is no message as JSON-RPC has them.
    private static func match(odd text: JSONText, to own: Int?, _ isPending: (Int) -> Bool) -> AnswerMatch {
        let odd = OddMessage(text)
        guard odd.meaning == .answer, !odd.hasMethod else {
            return AnswerMatch(text, answering: nil, asks: odd.meaning == .request)
        }
        if let id = odd.id?.ownNumber, id != own, isPending(id) { return AnswerMatch(text, answering: id) }
        return own.map { self.answer(odd, text, to: $0) } ?? AnswerMatch(text, answering: nil)
    }

    private static func answer(_ odd: OddMessage, _ text: JSONText, to own: Int) -> AnswerMatch {
        guard let answer = odd.answer(to: own) else { return AnswerMatch(text, answering: nil) }
        return AnswerMatch(answer.text, answering: own)
    }
}

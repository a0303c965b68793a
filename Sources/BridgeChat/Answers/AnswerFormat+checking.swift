import BridgeCore
import NIOCore

extension AnswerFormat {
    /// What a model is told of it; nil for plain text.
    var instruction: String? {
        switch self {
        case .text: return nil
        case .json: return "Answer with one JSON object and nothing else: no explanation, no code fence."
        case .schema(let schema):
            let about = [schema.name.map { "It is called '\($0)'." }, schema.description].compactMap(\.self)
            let lines =
                ["Answer with one JSON value and nothing else: no explanation, no code fence."] + about
                + ["It must be valid by this JSON schema:", schema.schema.compact.description]
            return lines.joined(separator: "\n")
        }
    }

    package enum Verdict: Sendable, Hashable {
        /// The answer as it may leave.
        case met(ChatAnswer)
        /// Why it may not.
        case notMet(String)
    }

    /// Looks whether an answer is what was asked for. One that calls tools, or was cut short, is left as it is.
    package func check(_ answer: ChatAnswer) -> Verdict {
        guard self != .text, answer.toolUses.isEmpty else { return .met(answer) }
        switch answer.stop {
        case .maximumTokens, .contentFilter, .stopSequence: return .met(answer)
        case .endTurn, .toolUse, .other: break
        }
        let content = Self.withoutFence(answer.text)
        guard let value = try? JSONText(validating: ByteBuffer(string: content)) else {
            return .notMet("the answer is not JSON")
        }
        switch self {
        case .text: break
        case .json:
            guard value.kind == .object else { return .notMet("the answer is not an object") }
        case .schema(let schema):
            if schema.isStrict, let problem = SchemaCheck.problem(with: value, by: schema.schema) {
                return .notMet(problem)
            }
        }
        var fitted = answer
        fitted.blocks = [.text(content)]
        return .met(fitted)
    }

    /// Models like to put JSON into a fence of Markdown.
    private static func withoutFence(_ text: String) -> String {
        var text = Self.trimmed(text[...])
        guard text.hasPrefix("```"), text.hasSuffix("```"), text.utf8.count >= 6,
            let lineEnd = text.firstIndex(where: \.isNewline)
        else { return String(text) }
        text = text[text.index(after: lineEnd)...].dropLast(3)
        return String(Self.trimmed(text))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}

extension ChatRequest {
    /// The request that asks once more, after an answer that was not what was asked for.
    package func repaired(after answer: ChatAnswer, because problem: String) -> ChatRequest {
        var request = self
        if !answer.text.isEmpty { request.turns.append(.assistant(answer.text)) }
        request.turns.append(
            .user("That cannot be used: \(problem). \(self.format.instruction ?? "Answer again.")"))
        return request
    }
}

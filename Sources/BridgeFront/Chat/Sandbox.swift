import BridgeChat
import BridgeCore
import NIOCore

/// What a token of the sandbox is answered: what was said last, said again. The same request has the same answer, nobody is
/// asked, and nothing is spent but what the token's limits count.
///
/// Some names of models have a meaning, so that programs can be tried against what goes wrong: `wait/SECONDS` answers later,
/// `fault/WORD` fails with the error of that word, `fault/WORD/SECONDS` later.
enum Sandbox {
    struct Said {
        let outcome: Result<ChatAnswer, ChatFault>
        let delay: TimeAmount?
    }

    static let longestWait = 600.0

    static func answer(to request: ChatRequest) -> Said {
        let parts = request.model.split(separator: "/", omittingEmptySubsequences: false)
        switch (parts.first, parts.count) {
        case ("wait", 2):
            if let delay = Self.delay(parts[1]) { return Said(outcome: .success(Self.echo(request)), delay: delay) }
        case ("fault", 2), ("fault", 3):
            if let kind = ChatFaultKind.named(String(parts[1])) {
                let fault = ChatFault(kind, "The sandbox fails as its model's name says")
                return Said(outcome: .failure(fault), delay: parts.count == 3 ? Self.delay(parts[2]) : nil)
            }
        default: break
        }
        return Said(outcome: .success(Self.echo(request)), delay: nil)
    }

    /// What has no effect here.
    static func remarks(on request: ChatRequest) -> ChatRemarks {
        var remarks = ChatRemarks()
        if request.temperature != nil { remarks.ignore("temperature") }
        return remarks
    }

    private static func delay(_ text: Substring) -> TimeAmount? {
        guard let seconds = Double(text), (0...Self.longestWait).contains(seconds) else { return nil }
        return .microseconds(Int64(seconds * 1_000_000))
    }

    // MARK: The echo

    private static func echo(_ request: ChatRequest) -> ChatAnswer {
        let last = request.turns.last
        let said = last.map { Self.text(of: $0) } ?? request.system.joined(separator: "\n")
        if let call = Self.call(for: request, said: said) {
            return ChatAnswer(model: request.modelName, blocks: [.toolUse(call)], stop: .toolUse)
        }
        let text = Self.fitted(said, to: request.format)
        guard let limit = request.maximumTokens.map({ TokenEstimate.octets(of: $0) }), text.utf8.count > limit else {
            return ChatAnswer(model: request.modelName, blocks: [.text(text)], stop: .endTurn)
        }
        let cut = String(decoding: Array(text.utf8.prefix(limit)), as: UTF8.self)
        return ChatAnswer(
            model: request.modelName, blocks: [.text(cut.last == "\u{FFFD}" ? String(cut.dropLast()) : cut)],
            stop: .maximumTokens)
    }

    /// A tool is called only where one must be, and never after a result: else an agent would go round for ever.
    private static func call(for request: ChatRequest, said: String) -> ChatToolUse? {
        let hasResult =
            request.turns.last?.blocks.contains { if case .toolResult = $0 { true } else { false } } ?? false
        if hasResult { return nil }
        let tool: ChatTool?
        switch request.toolChoice {
        case .automatic, .none: tool = nil
        case .required: tool = request.tools.first
        case .tool(let name): tool = request.tools.first { $0.name == name }
        }
        return tool.map {
            ChatToolUse(
                id: "", name: $0.name, input: SchemaExample.value(by: $0.inputSchema, text: said),
                isFreeform: $0.isFreeform)
        }
    }

    private static func fitted(_ text: String, to format: AnswerFormat) -> String {
        switch format {
        case .text: return text
        case .json:
            let value = try? JSONText(validating: ByteBuffer(string: text))
            return value?.kind == .object ? text : JSONWriter.object { $0.member("echo", text) }.description
        case .schema(let schema): return SchemaExample.value(by: schema.schema, text: text).description
        }
    }

    /// Texts follow each other as they are; anything else begins a line of its own.
    private static func text(of turn: ChatTurn) -> String {
        var text = ""
        var wasText = true
        for block in turn.blocks {
            let isText = if case .content(.text) = block { true } else { false }
            if !text.isEmpty, !(isText && wasText) { text += "\n" }
            wasText = isText
            switch block {
            case .content(let content): text += Self.text(of: content)
            case .toolUse(let use): text += "\(use.name)(\(use.input))"
            case .toolResult(let result): text += result.content.map { Self.text(of: $0) }.joined(separator: "\n")
            }
        }
        return text
    }

    private static func text(of content: ChatContent) -> String {
        switch content {
        case .text(let text): text
        case .image(let media), .audio(let media): "[\(media.mimeType), \(media.octets) bytes]"
        }
    }
}

extension ChatMedia {
    /// How long it is, decoded.
    fileprivate var octets: Int {
        let padding = self.base64.readableBytesView.suffix(2).count { $0 == UInt8(ascii: "=") }
        return self.base64.readableBytes / 4 * 3 - padding
    }
}

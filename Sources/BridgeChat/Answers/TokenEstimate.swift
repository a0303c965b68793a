package import BridgeCore

/// Guesses at tokens: a quarter of the bytes, and a flat number for what is no text. Of what the client sent, and nothing
/// that was added to it. Never 0: a client would take that for an empty context.
package enum TokenEstimate {
    /// What models charge for an image of usual size.
    static let image = 1_600
    /// About a minute of speech.
    static let audio = 600
    /// In bytes.
    private static let token = 4

    /// How many bytes so many tokens are. A client may name any number.
    package static func octets(of tokens: Int) -> Int {
        let (octets, isTooMany) = tokens.multipliedReportingOverflow(by: Self.token)
        return isTooMany ? .max : octets
    }

    private static func tokens(of octets: Int) -> Int { (octets + Self.token - 1) / Self.token }

    package static func input(of request: ChatRequest) -> Int { request.countedInput ?? Self.whole(of: request) }

    /// Of all that there is to read in a request, with what was added to have an answer mended.
    package static func whole(of request: ChatRequest) -> Int {
        var bytes = 0
        var flat = 0
        for text in request.system { bytes += text.utf8.count }
        for turn in request.turns { for block in turn.blocks { Self.add(block, &bytes, &flat) } }
        for tool in request.tools {
            bytes += tool.name.utf8.count + (tool.description?.utf8.count ?? 0) + tool.inputSchema.count
        }
        if case .schema(let schema) = request.format { bytes += schema.schema.count }
        return max(1, Self.tokens(of: bytes) + flat)
    }

    package static func output(of answer: ChatAnswer) -> Int {
        var bytes = 0
        for block in answer.blocks {
            switch block {
            case .text(let text): bytes += text.utf8.count
            case .toolUse(let use): bytes += use.name.utf8.count + use.input.count
            }
        }
        return max(1, Self.tokens(of: bytes))
    }

    private static func add(_ block: ChatBlock, _ bytes: inout Int, _ flat: inout Int) {
        switch block {
        case .content(let content): Self.add(content, &bytes, &flat)
        case .toolUse(let use): bytes += use.name.utf8.count + use.input.count
        case .toolResult(let result): for content in result.content { Self.add(content, &bytes, &flat) }
        }
    }

    private static func add(_ content: ChatContent, _ bytes: inout Int, _ flat: inout Int) {
        switch content {
        case .text(let text): bytes += text.utf8.count
        case .image: flat += Self.image
        case .audio: flat += Self.audio
        }
    }

    /// The body that `count_tokens` answers with.
    package static func body(of request: ChatRequest) -> JSONText {
        JSONWriter.object { $0.member("input_tokens", Self.input(of: request)) }
    }
}

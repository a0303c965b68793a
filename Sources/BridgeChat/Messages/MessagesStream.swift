import BridgeCore

/// Events of Anthropic's messages: `message_start`, the blocks, `message_delta`, `message_stop`.
///
/// Every event has its name in an `event:` line. One without is passed over in silence, and an error would look like a
/// good end.
struct MessagesStream: DialectStream {
    let request: ChatRequest
    let identity: ReplyIdentity
    let options: ChatStream.Options

    mutating func keepAlive(_ events: inout EventWriter) {
        events.event("ping") { $0.member("type", "ping") }
    }

    mutating func answer(_ answer: ChatAnswer, _ events: inout EventWriter) {
        self.event("message_start", &events) { start in
            start.memberObject("message") { message in
                MessagesAnswer.writeHead(self.identity, to: &message)
                message.memberArray("content") { _ in }
                message.memberNull("stop_reason")
                message.memberNull("stop_sequence")
                message.memberObject("usage") { usage in
                    var begun = answer.usage
                    begun.output = 1
                    MessagesAnswer.write(begun, to: &usage)
                }
            }
        }
        for (index, block) in answer.blocks.enumerated() { self.block(block, at: index, &events) }
        self.event("message_delta", &events) { delta in
            delta.memberObject("delta") { MessagesAnswer.writeStop(of: answer, to: &$0) }
            delta.memberObject("usage") { MessagesAnswer.write(answer.usage, to: &$0) }
        }
        self.event("message_stop", &events) { _ in }
        if self.options.endsMessagesWithDone { events.done() }
    }

    mutating func fail(_ fault: ChatFault, _ events: inout EventWriter) {
        events.event("error") { fault.writeAnthropic(to: &$0, requestID: self.identity.requestID) }
    }

    private func block(_ block: ChatAnswer.Block, at index: Int, _ events: inout EventWriter) {
        self.event("content_block_start", &events) { start in
            start.member("index", index)
            start.memberObject("content_block") { content in
                switch block {
                case .text:
                    content.member("type", "text")
                    content.member("text", "")
                case .toolUse(let use):
                    content.member("type", "tool_use")
                    content.member("id", use.id)
                    content.member("name", use.name)
                    content.member("input", JSONText.emptyObject)
                }
            }
        }
        switch block {
        case .text(let text):
            for piece in TextPieces(text) { self.delta("text_delta", "text", piece, at: index, &events) }
        case .toolUse(let use):
            for piece in TextPieces(use.arguments) {
                self.delta("input_json_delta", "partial_json", piece, at: index, &events)
            }
        }
        self.event("content_block_stop", &events) { $0.member("index", index) }
    }

    private func delta(
        _ type: String, _ name: String, _ piece: Substring, at index: Int, _ events: inout EventWriter
    ) {
        self.event("content_block_delta", &events) { event in
            event.member("index", index)
            event.memberObject("delta") { delta in
                delta.member("type", type)
                delta.member(name, piece)
            }
        }
    }

    private func event(_ type: String, _ events: inout EventWriter, _ body: (inout JSONWriter) -> Void) {
        events.event(type) { event in
            event.member("type", type)
            body(&event)
        }
    }
}

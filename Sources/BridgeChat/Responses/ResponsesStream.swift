import BridgeCore

/// Events of Responses: `response.created`, `response.in_progress`, each item with its parts, `response.completed`.
struct ResponsesStream: DialectStream {
    private let object: ResponseObject
    private var sequence = 0
    private var isOpen = false

    init(request: ChatRequest, identity: ReplyIdentity) {
        self.object = ResponseObject(request: request, identity: identity)
    }

    /// An event, since one client's patience does not count comments. Nothing may come before `response.created`.
    mutating func keepAlive(_ events: inout EventWriter) {
        if self.isOpen { self.response("response.in_progress", .begun, &events) } else { self.open(&events) }
    }

    mutating func answer(_ answer: ChatAnswer, _ events: inout EventWriter) {
        if !self.isOpen { self.open(&events) }
        for (index, item) in answer.blocks.enumerated() { self.item(item, at: index, &events) }
        let isWhole = ResponseObject.incompleteReason(answer) == nil
        self.response(isWhole ? "response.completed" : "response.incomplete", .ended(answer), &events)
    }

    mutating func fail(_ fault: ChatFault, _ events: inout EventWriter) {
        if !self.isOpen { self.open(&events) }
        self.response("response.failed", .failed(fault), &events)
    }

    private mutating func open(_ events: inout EventWriter) {
        self.isOpen = true
        self.response("response.created", .begun, &events)
        self.response("response.in_progress", .begun, &events)
    }

    private mutating func response(
        _ type: String, _ progress: ResponseObject.Progress, _ events: inout EventWriter
    ) {
        let object = self.object
        self.event(type, &events) { $0.memberObject("response") { object.write(progress, to: &$0) } }
    }

    private mutating func event(_ type: String, _ events: inout EventWriter, _ body: (inout JSONWriter) -> Void) {
        let sequence = self.sequence
        self.sequence += 1
        events.event(type) { event in
            event.member("type", type)
            event.member("sequence_number", sequence)
            body(&event)
        }
    }
}

// One item.
extension ResponsesStream {
    private mutating func item(_ item: ChatAnswer.Block, at index: Int, _ events: inout EventWriter) {
        let object = self.object
        self.event("response.output_item.added", &events) { event in
            event.member("output_index", index)
            event.memberObject("item") { object.write(item, at: index, isBegun: true, to: &$0) }
        }
        let id = object.itemID(of: item, at: index)
        switch item {
        case .text(let text): self.message(text, id: id, at: index, &events)
        case .toolUse(let use) where use.isFreeform:
            self.call("response.custom_tool_call_input", "input", use.freeformText, id: id, at: index, &events)
        case .toolUse(let use):
            self.call(
                "response.function_call_arguments", "arguments", use.arguments, name: use.name, id: id, at: index,
                &events)
        }
        self.event("response.output_item.done", &events) { event in
            event.member("output_index", index)
            event.memberObject("item") { object.write(item, at: index, to: &$0) }
        }
    }

    private mutating func message(_ text: String, id: String, at index: Int, _ events: inout EventWriter) {
        func place(_ event: inout JSONWriter) {
            event.member("item_id", id)
            event.member("output_index", index)
            event.member("content_index", 0)
        }
        self.event("response.content_part.added", &events) { event in
            place(&event)
            event.memberObject("part") { ResponseObject.writePart("", to: &$0) }
        }
        for piece in TextPieces(text) {
            self.event("response.output_text.delta", &events) { event in
                place(&event)
                event.member("delta", piece)
                event.memberArray("logprobs") { _ in }
            }
        }
        self.event("response.output_text.done", &events) { event in
            place(&event)
            event.member("text", text)
            event.memberArray("logprobs") { _ in }
        }
        self.event("response.content_part.done", &events) { event in
            place(&event)
            event.memberObject("part") { ResponseObject.writePart(text, to: &$0) }
        }
    }

    private mutating func call(
        _ type: String, _ member: String, _ text: String, name: String? = nil, id: String, at index: Int,
        _ events: inout EventWriter
    ) {
        for piece in TextPieces(text) {
            self.event("\(type).delta", &events) { event in
                event.member("item_id", id)
                event.member("output_index", index)
                event.member("delta", piece)
            }
        }
        self.event("\(type).done", &events) { event in
            event.member("item_id", id)
            event.member("output_index", index)
            event.member("name", ifPresent: name)
            event.member(member, text)
        }
    }
}

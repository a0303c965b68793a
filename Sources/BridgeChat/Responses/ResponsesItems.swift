import BridgeCore

/// Reads the input of a request of Responses: a text, or items.
enum ResponsesItems {
    static func read(
        _ input: JSONText, at path: String, into turns: inout ChatTurns, remarks: inout ChatRemarks
    ) throws(ChatFault) {
        if let text = input.string {
            turns.add(.user(text))
            return
        }
        guard input.kind == .array else { throw .invalid(path, "a string or an array of items is expected") }
        let items = try MemberReader.elements(of: input, atMost: ChatRequest.maximumTurns, at: path)
        for (index, item) in items.enumerated() {
            try Self.item(item, at: "\(path)[\(index)]", into: &turns, remarks: &remarks)
        }
    }

    private static func item(
        _ item: JSONText, at path: String, into turns: inout ChatTurns, remarks: inout ChatRemarks
    ) throws(ChatFault) {
        var members = try MemberReader(item, at: path)
        let type = try members.string("type") ?? "message"
        switch type {
        case "message": try Self.message(&members, into: &turns, remarks: &remarks)
        case "function_call":
            let id = try Self.callID(&members)
            let name = try members.requiredString("name")
            turns.addCall(ChatToolUse(id: id, name: name, input: try CompletionsMessage.arguments(&members)))
        case "custom_tool_call":
            let id = try Self.callID(&members)
            let name = try members.requiredString("name")
            let input = ChatToolUse.freeformInput(try members.string("input") ?? "")
            turns.addCall(ChatToolUse(id: id, name: name, input: input, isFreeform: true))
        case "function_call_output", "custom_tool_call_output":
            let id = try Self.callID(&members)
            var content: [ChatContent] = []
            if let output = try members.take("output") {
                let path = members.path("output")
                content = try ContentParts.read(output, at: path, as: "input.output", remarks: &remarks)
            }
            turns.addResult(
                ChatToolResult(id: id, content: content, isFreeform: type == "custom_tool_call_output"))
        case "item_reference":
            throw .unsupported(path, "nothing is kept between requests; send the item itself")
        default:
            // Thoughts, and what tools did that others run: history that nobody here can read.
            remarks.ignore("input.\(type)")
            return
        }
        members.discard("id", "status", "type", "phase")
        members.ignoreRest(as: "input", in: &remarks)
    }

    private static func callID(_ members: inout MemberReader) throws(ChatFault) -> String {
        if let id = try members.string("call_id") { return id }
        return try members.requiredString("id")
    }

    private static func message(
        _ members: inout MemberReader, into turns: inout ChatTurns, remarks: inout ChatRemarks
    ) throws(ChatFault) {
        let role = try members.requiredString("role")
        var content: [ChatContent] = []
        let path = members.path("content")
        if let text = try members.take("content") {
            content = try ContentParts.read(text, at: path, as: "input.content", remarks: &remarks)
        }
        switch role {
        case "system", "developer":
            var texts: [String] = []
            for part in content {
                guard case .text(let text) = part else { throw .invalid(path, "a system message is text") }
                texts.append(text)
            }
            turns.addSystem(texts)
        case "user": turns.add(ChatTurn(.user, content.isEmpty ? [.text("")] : content.map { .content($0) }))
        case "assistant": turns.add(ChatTurn(.assistant, content.map { .content($0) }))
        default:
            throw .invalid(members.path("role"), "'system', 'developer', 'user' or 'assistant' is expected")
        }
    }
}

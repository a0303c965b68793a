import BridgeCore

/// Reads content as Anthropic's messages write it: a string, or an array of blocks.
enum MessagesContent {
    /// The texts of a system message. No empty one.
    static func texts(_ content: JSONText, at path: String, remarks: inout ChatRemarks) throws(ChatFault) -> [String] {
        var texts: [String] = []
        for block in try Self.blocks(content, at: path, of: .system, remarks: &remarks) {
            guard case .content(.text(let text)) = block else { throw .invalid(path, "a system message is text") }
            texts.append(text)
        }
        return texts
    }

    static func blocks(
        _ content: JSONText, at path: String, of role: ChatTurn.Role, remarks: inout ChatRemarks
    ) throws(ChatFault) -> [ChatBlock] {
        if let text = content.string { return text.isEmpty ? [] : [.text(text)] }
        guard content.kind == .array else { throw .invalid(path, "a string or an array of blocks is expected") }
        let elements = try MemberReader.elements(of: content, atMost: ContentParts.maximum, at: path)
        var blocks: [ChatBlock] = []
        for (index, element) in elements.enumerated() {
            var members = try MemberReader(element, at: "\(path)[\(index)]")
            let type = try members.requiredString("type")
            switch type {
            case "tool_use" where role == .assistant:
                blocks.append(.toolUse(try Self.toolUse(&members)))
            case "tool_result" where role == .user:
                blocks.append(.toolResult(try Self.toolResult(&members, remarks: &remarks)))
            case "tool_use", "tool_result":
                throw .invalid(members.path("type"), "a block of this type does not belong into a message of this role")
            default: blocks += try Self.content(&members, type: type, of: role, remarks: &remarks).map { .content($0) }
            }
            members.discard("cache_control")
            if let citations = try members.take("citations"), Self.says(citations) {
                remarks.ignore("content.citations")
            }
            members.ignoreRest(as: "content", in: &remarks)
        }
        return blocks
    }

    /// Whether there are citations, or they are wanted.
    private static func says(_ citations: JSONText) -> Bool {
        citations.kind == .array ? !citations.elementTexts.isEmpty : citations.bool("enabled") ?? true
    }

    private static func toolUse(_ members: inout MemberReader) throws(ChatFault) -> ChatToolUse {
        let id = try members.requiredString("id")
        let name = try members.requiredString("name")
        let input = try members.take("input") ?? .emptyObject
        members.discard("caller")
        return ChatToolUse(
            id: id, name: name,
            input: input.kind == .object ? input : ChatToolUse.input(parsing: input.string ?? input.description))
    }

    private static func toolResult(
        _ members: inout MemberReader, remarks: inout ChatRemarks
    ) throws(ChatFault) -> ChatToolResult {
        let id = try members.requiredString("tool_use_id")
        let isError = try members.bool("is_error") ?? false
        let path = members.path("content")
        var content: [ChatContent] = []
        if let inner = try members.take("content") {
            for block in try Self.blocks(inner, at: path, of: .system, remarks: &remarks) {
                guard case .content(let part) = block else { continue }
                content.append(part)
            }
        }
        return ChatToolResult(id: id, content: content, isError: isError)
    }

    /// What is no tool's. Nothing for what is empty, and for history that nobody can read.
    private static func content(
        _ members: inout MemberReader, type: String, of role: ChatTurn.Role, remarks: inout ChatRemarks
    ) throws(ChatFault) -> [ChatContent] {
        switch type {
        case "text":
            let text = try members.requiredString("text")
            return text.isEmpty ? [] : [.text(text)]
        case "image": return [.image(try Self.image(&members))]
        case "document": return try Self.document(&members, remarks: &remarks)
        case "search_result":
            remarks.approximate("content.search_result")
            return try Self.searchResult(&members, remarks: &remarks)
        case "thinking", "redacted_thinking":
            members.discard("thinking", "signature", "data")
            remarks.ignore("content.\(type)")
            return []
        default:
            if let text = try members.string("text") {
                remarks.approximate("content.\(type)")
                return text.isEmpty ? [] : [.text(text)]
            }
            // What the server of another API did is history; what a user says must not get lost.
            guard role == .assistant || type == "tool_reference" else {
                throw .unsupported(
                    members.path("type"), "a block of the type \(ChatFault.quoted(type)) cannot be passed on")
            }
            for member in members.rest { members.discard(member.key) }
            remarks.ignore("content.\(type)")
            return []
        }
    }

    private static func image(_ members: inout MemberReader) throws(ChatFault) -> ChatMedia {
        guard var source = try members.reader("source") else { throw .invalid(members.path("source"), "it is missing") }
        guard try source.requiredString("type") == "base64" else {
            throw .unsupported(source.path, "nothing is fetched, and no files are kept; send the image as base64")
        }
        guard let data = try source.take("data") else { throw .invalid(source.path("data"), "it is missing") }
        return try MediaReading.image(
            base64: data, declared: try source.string("media_type"), at: source.path("data"))
    }

    private static func document(
        _ members: inout MemberReader, remarks: inout ChatRemarks
    ) throws(ChatFault) -> [ChatContent] {
        guard var source = try members.reader("source") else { throw .invalid(members.path("source"), "it is missing") }
        remarks.approximate("content.document")
        switch try source.requiredString("type") {
        case "text":
            let text = try source.requiredString("data")
            return text.isEmpty ? [] : [.text(text)]
        case "base64":
            let path = source.path("data")
            guard let data = try source.take("data"), let base64 = MediaReading.base64(data) else {
                throw .invalid(path, "base64 is expected")
            }
            let text = try MediaReading.text(base64, mimeType: try source.string("media_type"), at: path)
            return text.isEmpty ? [] : [.text(text)]
        case "content":
            guard let content = try source.take("content") else {
                throw .invalid(source.path("content"), "it is missing")
            }
            return try Self.plain(content, at: source.path("content"), remarks: &remarks)
        default:
            throw .unsupported(source.path, "nothing is fetched, and no files are kept; send the text itself")
        }
    }

    private static func searchResult(
        _ members: inout MemberReader, remarks: inout ChatRemarks
    ) throws(ChatFault) -> [ChatContent] {
        let heading = [try members.string("title"), try members.string("source")].compactMap(\.self)
            .joined(separator: "\n")
        guard let content = try members.take("content") else { return heading.isEmpty ? [] : [.text(heading)] }
        let parts = try Self.plain(content, at: members.path("content"), remarks: &remarks)
        return (heading.isEmpty ? [] : [.text(heading)]) + parts
    }

    /// Content without calls and results.
    private static func plain(
        _ content: JSONText, at path: String, remarks: inout ChatRemarks
    ) throws(ChatFault) -> [ChatContent] {
        try Self.blocks(content, at: path, of: .system, remarks: &remarks).compactMap {
            if case .content(let part) = $0 { part } else { nil }
        }
    }
}

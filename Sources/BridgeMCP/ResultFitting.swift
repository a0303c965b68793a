import BridgeCore
package import NIOCore

/// Fits the result of a `tools/call` or a `prompts/get` to the revision of the client that gets it.
///
/// A kind of content that the revision does not know would make the whole message invalid there, and an SDK refuses it. Such
/// an item is replaced by a text that says what it was; every other byte stays. A kind that no revision knows is left: it
/// may be an extension that both sides have agreed on. Further members (`structuredContent`, `_meta`, `title`…) are allowed
/// by the schemas of all revisions.
package enum ResultFitting {
    /// The revision that brought a kind of content; `nil` for those that all revisions have, or none.
    private static func firstRevision(of kind: String) -> ProtocolRevision? {
        switch kind {
        case "audio": .v2025_03_26
        case "resource_link": .v2025_06_18
        default: nil
        }
    }

    /// From this revision on a client knows every kind there is.
    private static let complete = ProtocolRevision.v2025_06_18

    /// - Parameter response: a JSON-RPC response. One without a list of content is left as it is.
    /// - Returns: `nil` when there is nothing to replace.
    package static func fitted(_ response: ByteBuffer, to revision: ProtocolRevision) -> ByteBuffer? {
        guard revision < Self.complete else { return nil }
        let text = JSONText(trusting: response)
        guard let result = text.member("result"), result.kind == .object else { return nil }
        var replacements: [(JSONSpan, ByteBuffer)] = []
        func look(_ item: JSONSpan) {
            guard item.kind == .object, let type = text.member("type", in: item), let kind = text[type].string,
                let first = Self.firstRevision(of: kind), revision < first
            else { return }
            replacements.append((item, Self.words(for: text[item], kind: kind)))
        }
        if let content = text.member("content", in: result), content.kind == .array {
            text.elements(in: content, look)
        }
        if let messages = text.member("messages", in: result), messages.kind == .array {
            text.elements(in: messages) { message in
                if message.kind == .object, let content = text.member("content", in: message) { look(content) }
            }
        }
        guard !replacements.isEmpty else { return nil }
        var fitted = ByteBuffer()
        text.write(to: &fitted, replacing: replacements)
        return fitted
    }

    private static func words(for item: JSONText, kind: String) -> ByteBuffer {
        let words: String
        switch kind {
        case "resource_link":
            let name = item.string("title") ?? item.string("name") ?? ""
            let description = item.string("description").map { " (\($0))" } ?? ""
            words = "Resource \(name): \(item.string("uri") ?? "")\(description)"
        default:
            let type = item.string("mimeType") ?? "unknown type"
            words = "[\(kind), \(type), left out: the protocol revision of this client does not have it]"
        }
        return JSONWriter.object { text in
            text.member("type", "text")
            text.member("text", words)
        }.bytes
    }
}

package import BridgeCore
package import NIOCore

/// The URIs of resources that messages name beside the lists: a client may ask for them.
package enum ResourceMentions {
    /// More of one message are not looked at.
    private static let maximum = 1_000

    /// - Parameter response: a JSON-RPC response, of `tools/call`, `prompts/get` or `resources/read`.
    package static func uris(in response: ByteBuffer) -> [String] {
        let text = JSONText(trusting: response)
        guard let result = text.member("result"), result.kind == .object else { return [] }
        var uris: [String] = []
        func look(_ block: JSONText) {
            guard uris.count < Self.maximum, block.kind == .object else { return }
            switch block.string("type") {
            case "resource_link": if let uri = block.string("uri") { uris.append(uri) }
            case "resource": if let uri = block.value("resource")?.string("uri") { uris.append(uri) }
            default: break
            }
        }
        if let content = text.member("content", in: result), content.kind == .array {
            text.elements(in: content) { look(text[$0]) }
        }
        if let messages = text.member("messages", in: result), messages.kind == .array {
            text.elements(in: messages) { if let content = text[$0].value("content") { look(content) } }
        }
        // What is read may be a directory, and these its parts.
        if let contents = text.member("contents", in: result), contents.kind == .array {
            text.elements(in: contents) {
                if uris.count < Self.maximum, let uri = text[$0].string("uri") { uris.append(uri) }
            }
        }
        if let uri = text[result].value("_meta").flatMap(Self.shownPage) { uris.append(uri) }
        return uris
    }

    /// The page that a tool's definition wants shown beside it (MCP Apps, `_meta.ui.resourceUri`).
    package static func page(ofTool definition: JSONText) -> String? {
        definition.value("_meta").flatMap(Self.shownPage)
    }

    private static func shownPage(_ meta: JSONText) -> String? {
        guard meta.kind == .object else { return nil }
        return meta.value("ui")?.string("resourceUri") ?? meta.string("ui/resourceUri")
    }
}

extension ResourceMentions {
    /// Whether a response to `resources/read` says that its server has no such resource: by the code of the revisions up to
    /// 2025-11-25, by the one that followed it, or with nothing in it.
    package static func isNotFound(_ response: ByteBuffer, uri: String) -> Bool {
        let text = JSONText(trusting: response)
        if let error = text.value("error"), error.kind == .object {
            switch error.int("code") {
            case -32002: return true
            case -32602:
                return error.value("data")?.string("uri") == uri || error.string("message")?.contains(uri) == true
            default: return false
            }
        }
        guard let contents = text.value("result")?.value("contents"), contents.kind == .array else { return false }
        var isEmpty = true
        contents.elements { _ in isEmpty = false }
        return isEmpty
    }
}

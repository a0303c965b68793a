import BridgeCore
package import NIOCore

/// A server's error that says which pages have to be opened before a call can run (`-32042`, client/elicitation of
/// 2025-11-25).
package enum RequiredElicitations {
    package static let code = -32042

    /// Fits such an error to the client that gets it: under ids of the bridge's own, or, where the client's revision has no
    /// such code, in words.
    ///
    /// - Parameters:
    ///   - response: a JSON-RPC error.
    ///   - ownID: gives the id that the client is told in the place of a server's; nil leaves that one.
    /// - Returns: nil for any other error.
    package static func fitted(
        _ response: ByteBuffer, to revision: ProtocolRevision, ownID: (String) -> String?
    ) -> ByteBuffer? {
        let text = JSONText(trusting: response)
        guard let error = text.member("error"), error.kind == .object,
            let code = text.member("code", in: error), text[code].int == Self.code
        else { return nil }
        var pages: [JSONSpan] = []
        if let data = text.member("data", in: error), data.kind == .object,
            let list = text.member("elicitations", in: data), list.kind == .array
        {
            text.elements(in: list) { if $0.kind == .object { pages.append($0) } }
        }
        let edits = revision < .v2025_11_25 ? Self.words(text, error, code, pages) : Self.ids(text, pages, ownID)
        var fitted = ByteBuffer()
        text.write(to: &fitted, replacing: edits)
        return fitted
    }

    private static func ids(
        _ text: JSONText, _ pages: [JSONSpan], _ ownID: (String) -> String?
    ) -> [(JSONSpan, ByteBuffer)] {
        pages.compactMap { page in
            guard let span = text.member("elicitationId", in: page), let id = text[span].string, let own = ownID(id)
            else { return nil }
            var quoted = ByteBuffer()
            quoted.writeJSONString(own)
            return (span, quoted)
        }
    }

    private static func words(
        _ text: JSONText, _ error: JSONSpan, _ code: JSONSpan, _ pages: [JSONSpan]
    ) -> [(JSONSpan, ByteBuffer)] {
        var edits = [(code, ByteBuffer(string: "-32603"))]
        if let message = text.member("message", in: error) {
            let urls = pages.compactMap { text[$0].string("url") }
            let opening = urls.isEmpty ? "" : ". Please open \(urls.joined(separator: " and ")), then try again."
            var words = ByteBuffer()
            words.writeJSONString((text[message].string ?? "The server wants a page opened") + opening)
            edits.append((message, words))
        }
        return edits.sorted { $0.0.lowerBound < $1.0.lowerBound }
    }
}

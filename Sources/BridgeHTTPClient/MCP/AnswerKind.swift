import NIOCore
package import NIOHTTP1

/// How a body is to be read.
enum AnswerKind: Equatable {
    /// As an event stream.
    case events
    /// As one text, JSON or whatever else.
    case text

    /// By what the head says; `nil` when it says nothing, and the first bytes must tell.
    init?(_ headers: HTTPHeaders) {
        guard let type = headers.first(name: "Content-Type") else { return nil }
        // The essence: without parameters, and the first of a list that some proxy made.
        let essence = type.prefix { $0 != ";" && $0 != "," }.lowercased().split(separator: " ").first ?? ""
        if essence.isEmpty { return nil }
        self = essence == "text/event-stream" ? .events : .text
    }

    /// By how the body begins; `nil` when nothing but white space has come so far.
    init?(_ body: ByteBuffer) {
        var body = body
        body.skipByteOrderMark()
        // The beginning of a mark.
        if body.readableBytes < 3, [0xEF, 0xBB].starts(with: body.readableBytesView) { return nil }
        guard let first = body.readableBytesView.first(where: { !" \t\r\n".utf8.contains($0) }) else { return nil }
        // JSON, or HTML; a field name or a comment otherwise.
        self = "{[\"<".utf8.contains(first) ? .text : .events
    }
}

extension ByteBuffer {
    mutating func skipByteOrderMark() {
        if self.readableBytesView.starts(with: [0xEF, 0xBB, 0xBF]) { self.moveReaderIndex(forwardBy: 3) }
    }
}

extension HTTPHeaders {
    /// Whether a body that they come with may be a stream of events: they say so, or say nothing.
    package var mayBeEvents: Bool { AnswerKind(self).map { $0 == .events } ?? true }
}

extension HTTPResponseStatus {
    /// Whether a server that does not take a request now may take it soon.
    package var isBusy: Bool {
        [408, 425, 429].contains(self.code) || (self.code >= 500 && self != .notImplemented)
    }
}

import HTTPTypes

/// The header fields that the front acts on, found in one pass over a request's head.
struct RequestFields: Sendable, Equatable {
    /// All `Accept` lines, joined.
    var accept: String?
    var contentType: String?
    /// `nil` when absent; the HTTP parser has refused what is not a number already.
    var contentLength: Int?
    var isChunked = false
    /// The body went through a transfer coding besides `chunked`, which the HTTP parser does not undo.
    var hasOtherTransferCoding = false
    /// The body is compressed, or otherwise not what `Content-Type` says.
    var hasContentCoding = false
    var origin: String?
    var protocolVersion: String?
    var sessionID: String?
    var lastEventID: String?
    var expectsContinue = false
    /// The request carries one of ``ProxyFields``: a proxy speaks for somebody else.
    var isForwarded = false
    /// A field that we act on, and that may occur once, occurs again: two readers might take different ones.
    var isAmbiguous = false

    init(_ head: HTTPRequest) {
        for field in head.headerFields { self.take(field) }
    }

    private mutating func take(_ field: HTTPField) {
        let name = field.name.canonicalName
        switch name.utf8.count {
        case 4 where name == "host": self.isAmbiguous = true  // the first one is the request's authority
        case 6 where name == "accept":
            self.accept = self.accept.map { "\($0), \(field.value)" } ?? field.value
        case 6 where name == "origin": self.note(repeated: Self.replace(&self.origin, field.value))
        case 6 where name == "expect": self.expectsContinue = field.value.lowercased() == "100-continue"
        case 12 where name == "content-type": self.note(repeated: Self.replace(&self.contentType, field.value))
        case 13 where name == "last-event-id": self.note(repeated: Self.replace(&self.lastEventID, field.value))
        case 14 where name == "content-length": self.contentLength = Int(field.value)
        case 14 where name == "mcp-session-id": self.note(repeated: Self.replace(&self.sessionID, field.value))
        case 16 where name == "content-encoding":
            if field.value.lowercased() != "identity" { self.hasContentCoding = true }
        case 17 where name == "transfer-encoding":
            if self.isChunked || field.value.lowercased() != "chunked" { self.hasOtherTransferCoding = true }
            self.isChunked = true
        case 20 where name == "mcp-protocol-version":
            self.note(repeated: Self.replace(&self.protocolVersion, field.value))
        default:
            if ProxyFields.contain(name) { self.isForwarded = true }
        }
    }

    private mutating func note(repeated: Bool) {
        if repeated { self.isAmbiguous = true }
    }

    /// Says whether there was a value already.
    private static func replace(_ slot: inout String?, _ value: String) -> Bool {
        defer { slot = value }
        return slot != nil
    }

    /// Whether a body was announced that is too long to be read for nothing.
    var announcesLongBody: Bool { self.isChunked || (self.contentLength ?? 0) > 64 << 10 }
}

import NIOHTTP1

/// The header fields that the front acts on, found in one pass over a request's head.
struct RequestFields: Sendable, Equatable {
    /// The first `Host`.
    var host: String?
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
    /// Empty where it is one that we cannot have given out: as unknown as any other, and the session worker's to answer.
    var sessionID: String?
    var lastEventID: String?
    /// What was sent as a token: as `Authorization: Bearer`, or as `x-api-key` where there is no such.
    var secret: String? { self.bearer ?? self.apiKey }
    private var bearer: String?
    private var apiKey: String?
    private var hasAuthorization = false
    var expectsContinue = false
    /// What only clients of Anthropic's APIs send.
    var namesAnthropicVersion = false
    /// What a program that speaks to the model APIs calls its own session. Anybody may write anything there.
    var clientSession: String?
    /// Of a preflight: the headers that the page wants to send.
    var wantedHeaders: String?
    /// Another protocol is offered.
    var wantsUpgrade = false
    /// What a proxy says that it puts before our paths. Nobody is believed to be one for saying so.
    var forwardedPrefix: String?
    /// The request carries one of ``ProxyFields``: a proxy speaks for somebody else.
    var isForwarded = false
    /// A field that we act on, and that may occur once, occurs again: two readers might take different ones.
    var isAmbiguous = false

    init(_ headers: HTTPHeaders) {
        for (name, value) in headers { self.take(name, value) }
    }

    private mutating func take(_ name: String, _ value: String) {
        switch name.utf8.count {
        case 4 where name.isField("host"): self.note(repeated: Self.replace(&self.host, value, keepsFirst: true))
        case 6 where name.isField("accept"):
            let value = value.withoutTrailingSpace
            self.accept = self.accept.map { "\($0), \(value)" } ?? value
        case 6 where name.isField("origin"): self.note(repeated: Self.replace(&self.origin, value))
        case 6 where name.isField("expect"):
            self.expectsContinue = value.withoutTrailingSpace.isField("100-continue")
        case 7 where name.isField("upgrade"): self.wantsUpgrade = true
        case 9 where name.isField("x-api-key"): self.note(repeated: Self.replace(&self.apiKey, value))
        case 10 where name.isField("session-id"): self.clientSession = self.clientSession ?? value
        case 12 where name.isField("content-type"): self.note(repeated: Self.replace(&self.contentType, value))
        case 13 where name.isField("authorization"):
            self.note(repeated: self.hasAuthorization)
            self.hasAuthorization = true
            self.bearer = Self.bearer(value.withoutTrailingSpace)
        case 13 where name.isField("last-event-id"): self.note(repeated: Self.replace(&self.lastEventID, value))
        case 14 where name.isField("content-length"): self.contentLength = Int(value.withoutTrailingSpace)
        case 14 where name.isField("mcp-session-id"):
            self.note(repeated: Self.replace(&self.sessionID, value))
            if let id = self.sessionID, !Self.mayBeSessionID(id) { self.sessionID = "" }
        case 16 where name.isField("content-encoding"):
            if !value.withoutTrailingSpace.isField("identity") { self.hasContentCoding = true }
        case 17 where name.isField("anthropic-version"): self.namesAnthropicVersion = true
        case 17 where name.isField("transfer-encoding"):
            if self.isChunked || !value.withoutTrailingSpace.isField("chunked") { self.hasOtherTransferCoding = true }
            self.isChunked = true
        case 18 where name.isField("x-forwarded-prefix"):
            self.isForwarded = true
            self.forwardedPrefix = self.forwardedPrefix == nil ? value.withoutTrailingSpace : "several"
        case 20 where name.isField("mcp-protocol-version"):
            self.note(repeated: Self.replace(&self.protocolVersion, value))
        case 24 where name.isField("x-claude-code-session-id"): self.clientSession = self.clientSession ?? value
        case 30 where name.isField("access-control-request-headers"): self.wantedHeaders = value.withoutTrailingSpace
        default:
            if ProxyFields.contain(name) { self.isForwarded = true }
        }
    }

    private mutating func note(repeated: Bool) {
        if repeated { self.isAmbiguous = true }
    }

    /// Says whether there was a value already.
    private static func replace(_ slot: inout String?, _ value: String, keepsFirst: Bool = false) -> Bool {
        let isRepeated = slot != nil
        if !isRepeated || !keepsFirst { slot = value.withoutTrailingSpace }
        return isRepeated
    }

    /// RFC 6750, 2.1. Any other scheme is somebody else's business.
    private static func bearer(_ value: String) -> String? {
        guard value.begins(with: "bearer"), value.utf8.dropFirst(6).first == UInt8(ascii: " ") else { return nil }
        return String(value.dropFirst(6).drop { $0 == " " })
    }

    /// Visible ASCII (basic/transports, "Session Management"), and much longer than ours at most.
    private static func mayBeSessionID(_ id: String) -> Bool {
        id.utf8.count <= 1_024 && id.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    }

    /// Whether the connection ends with a request that is refused before its body has arrived: the body is too long to be
    /// read for nothing, or its client waits for leave to send it, and nobody knows whether it will.
    ///
    /// - Parameter length: of this request's body, as far as it was announced.
    func endsConnection(refusedWith length: Int?) -> Bool {
        self.isChunked || self.expectsContinue || (length ?? 0) > Self.readForNothing
    }

    /// Bytes of a body that are read only to keep a connection.
    private static let readForNothing = 64 << 10
}

extension String {
    /// Whether it is this name or word, which is in lower case, whatever the case of its own ASCII letters.
    func isField(_ name: StaticString) -> Bool {
        guard self.utf8.count == name.utf8CodeUnitCount else { return false }
        return self.begins(with: name)
    }

    /// Whether it begins with this, which is in lower case, whatever the case of its own ASCII letters.
    func begins(with start: StaticString) -> Bool {
        guard self.utf8.count >= start.utf8CodeUnitCount else { return false }
        var expected = start.utf8Start
        let end = expected + start.utf8CodeUnitCount
        for byte in self.utf8 {
            if expected == end { break }
            guard byte.lowercasedASCII == expected.pointee else { return false }
            expected += 1
        }
        return true
    }

    /// The HTTP parser leaves what stands behind a field's value.
    fileprivate var withoutTrailingSpace: String {
        guard let last = self.utf8.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") else { return self }
        var rest = self[...]
        while rest.utf8.last == UInt8(ascii: " ") || rest.utf8.last == UInt8(ascii: "\t") { rest = rest.dropLast() }
        return String(rest)
    }
}

extension UInt8 {
    var lowercasedASCII: UInt8 { self &- UInt8(ascii: "A") < 26 ? self | 0x20 : self }
}

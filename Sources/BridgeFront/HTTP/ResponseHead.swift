import BridgeChat
import NIOCore
import NIOHTTP1

/// The head of a response on the front's own path. Written as bytes at once: there is nobody behind it that reads it.
struct ResponseHead {
    enum Content: Equatable {
        /// A body that is no more than its length: there is none, most likely.
        case bare(length: Int)
        case json(length: Int)
        case events
        /// A stream of events of a model API.
        case chatEvents
        /// A stream of events that ends before the first: its length is known, so it costs no connection, not even one of
        /// HTTP/1.0.
        case noEvents
    }

    var status: Int
    var content: Content
    var sessionID: String?
    /// Of a refusal.
    var field: Refusal.Field?
    /// Further ones.
    var fields: [(name: String, value: String)] = []
    /// A page's, that may read the response.
    var origin: String?
    /// What it says of the token that it was asked with.
    var access: AccessFields?
    /// Nothing comes after it on this connection.
    var closes = false

    /// A refusal that says by itself that the connection ends does so before its length.
    private var closesFirst = false

    init(_ status: Int, _ content: Content) {
        self.status = status
        self.content = content
    }

    init(_ refusal: Refusal, length: Int) {
        self.init(refusal.status, .json(length: length))
        self.field = refusal.field
        self.closes = refusal.closes
        self.closesFirst = refusal.closes
    }

    private var isStream: Bool { self.content == .events || self.content == .chatEvents }

    /// Appends the head to the buffer, with the empty line.
    ///
    /// - Returns: how the body has to be written.
    func write(to buffer: inout ByteBuffer, for peer: ResponsePeer, date: HTTPDate) -> ResponseFraming {
        let status = HTTPResponseStatus(statusCode: self.status)
        let framing = ResponseFraming(status: status, hasLength: !self.isStream, for: peer)
        Self.write(status, to: &buffer)
        switch self.content {
        case .bare: break
        case .json: buffer.writeStaticString("Content-Type: application/json\r\n")
        case .events, .noEvents: buffer.writeStaticString(EventStream.fields)
        case .chatEvents: for (name, value) in ReplyHeaders.stream { Self.write(name, value, to: &buffer) }
        }
        if let sessionID { Self.write("Mcp-Session-Id", sessionID, to: &buffer) }
        if let field { Self.write(field.name, field.value, to: &buffer) }
        for field in self.fields { Self.write(field.name, field.value, to: &buffer) }
        access?.forEach { Self.write($0, $1, to: &buffer) }
        if self.closesFirst { buffer.writeStaticString(Self.close) }
        switch self.content {
        case .bare(let length) where framing != .none, .json(let length) where framing != .none:
            buffer.writeStaticString("Content-Length: ")
            buffer.writeString(String(length))
            buffer.writeStaticString("\r\n")
        case .noEvents: buffer.writeStaticString("Content-Length: 0\r\n")
        case .bare, .json, .events, .chatEvents: break
        }
        if let origin { Self.write(origin: origin, to: &buffer) }
        if self.closes, !self.closesFirst { buffer.writeStaticString(Self.close) }
        buffer.writeString(date.line)
        if framing == .chunked { buffer.writeStaticString(Self.chunked) }
        buffer.writeStaticString("\r\n")
        return framing
    }

    /// Writes the head of a response that the router made.
    ///
    /// - Returns: how the body has to be written.
    static func write(
        _ head: HTTPResponseHead, closes: Bool, to buffer: inout ByteBuffer, for peer: ResponsePeer, date: HTTPDate
    ) -> ResponseFraming {
        let hasLength = head.headers.contains(name: "content-length")
        let framing = ResponseFraming(status: head.status, hasLength: hasLength, for: peer)
        Self.write(head.status, to: &buffer)
        var saysClose = false
        for (name, value) in head.headers {
            if name.isField("transfer-encoding") { continue }
            if framing == .none, !head.status.mayHaveResponseBody, name.isField("content-length") { continue }
            if name.isField("connection"), closes {
                saysClose = true
                buffer.writeStaticString(Self.close)
            } else {
                Self.write(name, value, to: &buffer)
            }
        }
        if closes, !saysClose { buffer.writeStaticString(Self.close) }
        buffer.writeString(date.line)
        if framing == .chunked { buffer.writeStaticString(Self.chunked) }
        buffer.writeStaticString("\r\n")
        return framing
    }

    static let `continue` = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")

    private static let close: StaticString = "Connection: close\r\n"
    private static let chunked: StaticString = "transfer-encoding: chunked\r\n"

    private static func write(_ status: HTTPResponseStatus, to buffer: inout ByteBuffer) {
        switch status {
        case .ok: buffer.writeStaticString("HTTP/1.1 200 OK\r\n")
        case .accepted: buffer.writeStaticString("HTTP/1.1 202 Accepted\r\n")
        default:
            buffer.writeStaticString("HTTP/1.1 ")
            buffer.writeString(String(status.code))
            buffer.writeStaticString(" ")
            buffer.writeString(status.reasonPhrase)
            buffer.writeStaticString("\r\n")
        }
    }

    private static func write(_ name: String, _ value: String, to buffer: inout ByteBuffer) {
        buffer.writeString(name)
        buffer.writeStaticString(": ")
        buffer.writeString(value)
        buffer.writeStaticString("\r\n")
    }

    private static func write(origin: String, to buffer: inout ByteBuffer) {
        var fields = HTTPHeaders()
        CORS.append(to: &fields, origin: origin)
        for (name, value) in fields { Self.write(name, value, to: &buffer) }
    }
}

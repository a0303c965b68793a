import Glibc
import NIOCore

/// Server-sent events, as MCP's Streamable HTTP has them.
enum EventStream {
    static let contentType = "text/event-stream"

    /// The header fields of a response that is a stream. `no-transform` and `X-Accel-Buffering` keep proxies from holding
    /// events back.
    static let fields: StaticString = """
        Content-Type: text/event-stream\r
        Cache-Control: no-cache, no-transform\r
        X-Accel-Buffering: no\r

        """

    /// A line that means nothing, so that a silent stream is not taken for a dead one.
    static let keepAlive = ByteBuffer(string: ": keep-alive\n\n")

    /// Appends one message. A newline between two tokens of its JSON begins a further `data` line: joined again by the
    /// client, they are the same value.
    static func write(message: ByteBuffer, id: String?, to buffer: inout ByteBuffer) {
        buffer.reserveCapacity(minimumWritableBytes: message.readableBytes + 64)
        Self.write(id: id, to: &buffer)
        buffer.writeStaticString("event: message\ndata: ")
        if Self.hasLineEnds(message) {
            Self.write(lines: message, to: &buffer)
        } else {
            buffer.writeImmutableBuffer(message)
        }
        buffer.writeStaticString("\n\n")
    }

    /// Appends the event that tells a client of HTTP+SSE where to send its messages.
    static func write(endpoint: String, to buffer: inout ByteBuffer) {
        buffer.writeString("event: endpoint\ndata: \(endpoint)\n\n")
    }

    /// Appends an event without content, which gives a client something to resume after, and says how long to wait before.
    static func write(primeWithID id: String?, retry: Int, to buffer: inout ByteBuffer) {
        Self.write(id: id, to: &buffer)
        buffer.writeString("retry: \(retry)\ndata: \n\n")
    }

    /// Appends the wish that the client waits this many milliseconds before it connects again.
    static func write(retry: Int, to buffer: inout ByteBuffer) { buffer.writeString("retry: \(retry)\n\n") }

    private static func write(id: String?, to buffer: inout ByteBuffer) {
        guard let id, !id.utf8.contains(where: { $0 == 0 || $0 == 10 || $0 == 13 }) else { return }
        buffer.writeStaticString("id: ")
        buffer.writeString(id)
        buffer.writeStaticString("\n")
    }

    private static func hasLineEnds(_ message: ByteBuffer) -> Bool {
        message.withUnsafeReadableBytes { bytes in
            guard let start = bytes.baseAddress else { return false }
            return memchr(start, 10, bytes.count) != nil || memchr(start, 13, bytes.count) != nil
        }
    }

    /// Line feed, carriage return, and both together each end a line.
    private static func write(lines message: ByteBuffer, to buffer: inout ByteBuffer) {
        message.withUnsafeReadableBytes { bytes in
            var start = 0
            var at = 0
            while at < bytes.count {
                let byte = bytes[at]
                guard byte == 10 || byte == 13 else {
                    at += 1
                    continue
                }
                buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[start..<at]))
                buffer.writeStaticString("\ndata: ")
                at += byte == 13 && at + 1 < bytes.count && bytes[at + 1] == 10 ? 2 : 1
                start = at
            }
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        }
    }
}

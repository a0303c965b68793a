import NIOCore
import NIOHTTP1

/// How a client learns where a response's body ends. Pure.
enum ResponseFraming: Equatable {
    /// There is no body.
    case none
    /// `Content-Length` says it.
    case length
    case chunked
    /// The end of the connection is the end of the body: for HTTP/1.0, which has no chunks.
    case close

    /// - Parameters:
    ///   - hasLength: whether the length is known beforehand.
    ///   - peer: whom the response is for.
    init(status: HTTPResponseStatus, hasLength: Bool, for peer: ResponsePeer) {
        if !status.mayHaveResponseBody {
            self = .none
        } else if hasLength {
            self = .length
        } else if peer.wantsHeadOnly {
            self = .none
        } else {
            self = peer.isHTTP10 ? .close : .chunked
        }
    }

    /// Bodies up to this size are copied into the buffer of what goes around them.
    static let copyLimit = 4 << 10

    /// Appends a piece of the body with what belongs around it.
    func write(_ octets: ByteBuffer, to buffer: inout ByteBuffer) {
        guard octets.readableBytes > 0 else { return }
        if self == .chunked { Self.write(chunkOf: octets.readableBytes, to: &buffer) }
        buffer.writeImmutableBuffer(octets)
        if self == .chunked { buffer.writeStaticString("\r\n") }
    }

    /// Appends what stands before a chunk.
    static func write(chunkOf octets: Int, to buffer: inout ByteBuffer) {
        buffer.writeString(String(octets, radix: 16))
        buffer.writeStaticString("\r\n")
    }

    /// What stands behind a chunk.
    static let chunkEnd = ByteBuffer(string: "\r\n")

    /// What stands behind the last chunk.
    static let lastChunk: StaticString = "0\r\n\r\n"
}

/// What a response has to know of the request that it answers.
struct ResponsePeer: Equatable, Sendable {
    /// The client knows neither chunks nor, for certain, connections that stay.
    var isHTTP10: Bool
    /// `HEAD`: the body is not sent.
    var wantsHeadOnly: Bool

    static let any = ResponsePeer(isHTTP10: false, wantsHeadOnly: false)

    init(isHTTP10: Bool, wantsHeadOnly: Bool) {
        self.isHTTP10 = isHTTP10
        self.wantsHeadOnly = wantsHeadOnly
    }

    init(_ request: HTTPRequestHead) {
        self.isHTTP10 = request.version.major == 1 && request.version.minor == 0
        self.wantsHeadOnly = request.method == .HEAD
    }
}

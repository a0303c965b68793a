package import NIOCore

/// Why a request has no answer, or not all of it.
package struct HTTPFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Reason: Sendable, Hashable {
        /// There is no connection: the system's or TLS' words for it.
        case unreachable(String)
        /// There was no connection in time.
        case slowConnection
        /// The connection was closed before the answer's end.
        case closed
        /// Nothing came for so long, in the middle of the body.
        case silent(TimeAmount)
        /// The answer was not over after so long.
        case late(TimeAmount)
        /// The body, or one event, is longer than so many bytes.
        case tooLarge(limit: Int)
        case redirectedAway(from: String, to: String)
        /// By a status that would make a GET of the request.
        case redirectedOtherwise(from: String, to: String, status: Int)
        case redirectedTooOften(from: String, limit: Int)
        /// The body is packed in a way that we cannot unpack.
        case unknownEncoding(String)
        /// What came is not HTTP.
        case malformed(String)
        /// The request cannot be written, such as a header with a line feed.
        case badRequest(String)
        case shutDown
    }

    package let reason: Reason
    /// Whether the server may have acted on the request. It may not when no byte was written, and when it said to ask
    /// elsewhere.
    package let mayHaveRun: Bool

    package init(_ reason: Reason, mayHaveRun: Bool) {
        self.reason = reason
        self.mayHaveRun = mayHaveRun
    }

    /// Whether there was no connection, so that others would not be answered either.
    package var isUnreachable: Bool {
        switch self.reason {
        case .unreachable, .slowConnection: true
        default: false
        }
    }

    /// The same, where the next attempt may have another outcome at once: the connection may have been an old one.
    package var isRefusedConnection: Bool {
        if case .unreachable = self.reason { true } else { false }
    }

    /// Whether it is the answer that is amiss: asked for again it would be the same.
    package var isOfAnswer: Bool {
        switch self.reason {
        case .tooLarge, .unknownEncoding, .malformed, .shutDown: true
        default: false
        }
    }

    package var description: String {
        switch self.reason {
        case .unreachable(let words): "no connection: \(words)"
        case .slowConnection: "no connection in time"
        case .closed: "the server closed the connection before its answer was over"
        case .silent(let time): "the server fell silent in its answer (\(Self.text(time)))"
        case .late(let time): "the answer was not over after \(Self.text(time))"
        case .tooLarge(let limit): "the answer is longer than \(limit) bytes"
        case .redirectedAway(let from, let to): "\(from) redirects to \(to), which is another server"
        case .redirectedOtherwise(let from, let to, let status):
            "\(from) redirects to \(to) with status \(status), which would not keep the request as it is"
        case .redirectedTooOften(let from, let limit): "more than \(limit) redirects in a row, the last one at \(from)"
        case .unknownEncoding(let name): "the answer is packed as '\(name)', which is not asked for and not understood"
        case .malformed(let words): "the answer is not HTTP: \(words)"
        case .badRequest(let words): "the request cannot be written: \(words)"
        case .shutDown: "the connections are being closed"
        }
    }

    private static func text(_ time: TimeAmount) -> String {
        let milliseconds = time.nanoseconds / 1_000_000
        return milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000) s" : "\(milliseconds) ms"
    }
}

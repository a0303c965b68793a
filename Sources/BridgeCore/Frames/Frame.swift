package import NIOCore

/// One frame of the link between two processes: an envelope, and at most one JSON value that is only carried.
///
/// On the wire a frame is a 4-byte big-endian length and one JSON object with its members in this order:
/// `{"k":kind,"x":exchange,"b":bulk,"n":messages,"o":octets,"h":{…},"m":…}`. All but `k` and `x` may be absent. `m`, the
/// payload, is always last, so that a hop finds it without reading it.
package struct Frame: Sendable, Equatable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// First frame of a connection, from the side that dialled; answered in kind.
        case hello
        /// Opens the exchange `x`.
        case open
        /// A further message of the exchange `x`.
        case message
        /// The last message of the exchange `x`; both directions are over.
        case end
        /// Abandons the exchange `x`; whatever is queued for it is dropped.
        case cancel
        /// Gives back window to the sender of the exchange `x`.
        case credit
        /// Carries, on a bulk connection, the payload that frame number `b` announced.
        case bulk
        /// Asks the side that dialled for one more bulk connection.
        case want
        /// Asks for the payload that frame number `b` announced; of one that was sent ahead it says that there was room, or
        /// that it is not needed.
        case grant
    }

    package var kind: Kind
    /// The exchange's number, on a bulk connection the payload's; 0 where the frame belongs to none.
    package var exchange: UInt64
    /// The number under which the payload travels on a bulk connection, if it does.
    package var bulk: UInt32?
    /// Window given back by `credit`. In an `open` whose payload travels on a bulk connection: 1 where it is sent without
    /// being asked for, and its size in bytes.
    package var messages: Int
    package var octets: Int
    /// A small JSON object; empty when absent.
    package var header: ByteBuffer
    /// One JSON value, carried as it came.
    package var payload: ByteBuffer?

    package init(
        _ kind: Kind,
        exchange: UInt64 = 0,
        bulk: UInt32? = nil,
        messages: Int = 0,
        octets: Int = 0,
        header: ByteBuffer = ByteBuffer(),
        payload: ByteBuffer? = nil
    ) {
        self.kind = kind
        self.exchange = exchange
        self.bulk = bulk
        self.messages = messages
        self.octets = octets
        self.header = header
        self.payload = payload
    }
}

extension Frame {
    /// The largest payload that a frame may carry, in bytes.
    package static let maximumPayload = 64 << 20
    /// The largest frame, in bytes, its length field aside.
    package static let maximumLength = Frame.maximumPayload + (64 << 10)
    /// A payload above this many bytes travels on a connection of its own.
    package static let bulkThreshold = 256 << 10
    /// The largest ``exchange``: an integer that every reader of JSON knows exactly.
    package static let maximumExchange: UInt64 = 1 << 53 - 1
}

/// Why bytes are not a frame. It ends the connection that they came from.
package enum FrameError: Error, Equatable, Sendable {
    /// The length field says more than ``Frame/maximumLength``, or less than the smallest frame.
    case badLength(UInt32)
    /// The envelope is not of the form that ``Frame`` describes.
    case badEnvelope
    /// The connection ended within a frame.
    case truncated
}

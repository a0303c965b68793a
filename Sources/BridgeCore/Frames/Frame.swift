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
    /// The exchange's number; 0 where the frame belongs to none.
    package var exchange: UInt32
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
        exchange: UInt32 = 0,
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

extension Frame {
    /// Appends the frame, its length field included, with the payload's bytes as they are.
    ///
    /// - Parameter inlinePayload: false leaves the payload's bytes and the closing brace out, for a caller that writes
    ///   them on its own (``Frame/tail``); the length field counts them all the same.
    package func encode(into buffer: inout ByteBuffer, inlinePayload: Bool = true) {
        let start = buffer.writerIndex
        buffer.writeInteger(UInt32(0))
        buffer.writeImmutableBuffer(self.kind.opening)
        buffer.writeDecimal(self.exchange)
        if let bulk = self.bulk {
            buffer.writeStaticString(",\"b\":")
            buffer.writeDecimal(bulk)
        }
        if self.kind == .credit || (self.kind == .open && self.bulk != nil) {
            buffer.writeStaticString(",\"n\":")
            buffer.writeDecimal(UInt32(clamping: self.messages))
            buffer.writeStaticString(",\"o\":")
            buffer.writeDecimal(UInt32(clamping: self.octets))
        }
        if self.header.readableBytes > 0 {
            buffer.writeStaticString(",\"h\":")
            buffer.writeImmutableBuffer(self.header)
        }
        var deferred = 0
        if let payload = self.payload {
            buffer.writeStaticString(",\"m\":")
            if inlinePayload {
                buffer.writeImmutableBuffer(payload)
            } else {
                deferred = payload.readableBytes + 1
            }
        }
        if deferred == 0 { buffer.writeInteger(UInt8(ascii: "}")) }
        buffer.setInteger(UInt32(buffer.writerIndex - start - 4 + deferred), at: start)
    }

    /// What follows a payload that was written on its own.
    package static let tail = ByteBuffer(string: "}")
}

extension Frame.Kind {
    /// `{"k":"open","x":` and its like, made once.
    fileprivate var opening: ByteBuffer { Self.openings[Int(self.rawValue)] }

    private static let openings: [ByteBuffer] = Self.allCases.map { ByteBuffer(string: "{\"k\":\"\($0)\",\"x\":") }
}

extension ByteBuffer {
    /// Appends the decimal digits of a number, without making a string of it.
    package mutating func writeDecimal(_ number: UInt32) {
        var digits: (UInt64, UInt64) = (0, 0)  // room for the 10 digits of UInt32.max
        var rest = number
        var at = 16
        withUnsafeMutableBytes(of: &digits) { room in
            repeat {
                at -= 1
                room[at] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            _ = self.writeBytes(UnsafeRawBufferPointer(rebasing: room[at...]))
        }
    }
}

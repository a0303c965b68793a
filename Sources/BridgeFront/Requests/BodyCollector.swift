import BridgeCore
import BridgeLink
import NIOCore

/// A request's body, and what it is counted by for as long as it is kept.
struct CollectedBody {
    var bytes: ByteBuffer
    var hold: PayloadHold?
}

/// Puts a body together, and says when room has to be found for it.
///
/// Room is taken for all of a body at once where its length is known, so that two bodies never wait for each other, each
/// with a half of its own. A client that sends nothing takes none. Pure, but for the holds that it keeps.
struct BodyCollector {
    enum Step: Equatable {
        case taken
        /// More than is accepted.
        case tooLong
        /// So many bytes are to be counted first; then ``grant(_:)``. What was given has been taken, but nothing more is
        /// read.
        case needsRoom(Int)
    }

    private let expected: Int?
    private let limit: Int
    private var whole: ByteBuffer?
    private var holds: [PayloadHold] = []
    private var reserved = 0

    /// - Parameter expected: the length that the client announced.
    init(expected: Int?, limit: Int) {
        self.expected = expected
        self.limit = limit
    }

    mutating func take(_ part: ByteBuffer) -> Step {
        let length = (self.whole?.readableBytes ?? 0) + part.readableBytes
        guard length <= self.limit else { return .tooLong }
        if self.whole == nil {
            self.whole = part
        } else {
            self.reserve()
            self.whole?.writeImmutableBuffer(part)
        }
        guard length >= PayloadShares<String>.smallest, length > self.reserved else { return .taken }
        let wanted = self.expected ?? min(2 * length, self.limit)
        return .needsRoom(wanted - self.reserved)
    }

    /// The room for the rest is not made before there is more than one piece.
    private mutating func reserve() {
        guard let expected, let whole, whole.writableBytes < expected - whole.readableBytes else { return }
        self.whole?.reserveCapacity(expected)
    }

    mutating func grant(_ hold: PayloadHold) {
        self.holds.append(hold)
        self.reserved += hold.octets
    }

    /// All of it. The collector keeps nothing.
    mutating func finish() -> CollectedBody {
        defer { self = BodyCollector(expected: nil, limit: self.limit) }
        return CollectedBody(bytes: self.whole ?? ByteBuffer(), hold: PayloadHold.all(self.holds))
    }
}

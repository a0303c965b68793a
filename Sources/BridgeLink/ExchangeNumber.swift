/// The number of an exchange on a link: which side opened it, in which of that side's slots, and the how manieth it is
/// there.
///
/// The count is what keeps exchanges apart that used the same slot one after the other. It has so many bits that the
/// number is an integer that every reader of JSON knows exactly.
struct ExchangeNumber: Hashable, Sendable {
    enum Side: UInt64, Sendable {
        case listener, dialler

        var other: Side { self == .dialler ? .listener : .dialler }
    }

    private static let indexBits: UInt64 = 13
    private static let countBits: UInt64 = 39
    /// How many slots a side has.
    static let slots = 1 << Int(Self.indexBits)
    private static let countMask: UInt64 = 1 << Self.countBits - 1

    /// As it travels.
    let rawValue: UInt64

    /// - Parameter rawValue: from the peer. Bits that no number has are dropped.
    @inline(__always)
    init(rawValue: UInt64) { self.rawValue = rawValue & (1 << (Self.countBits + Self.indexBits + 1) - 1) }

    @inline(__always)
    init(side: Side, index: Int, count: UInt64) {
        self.rawValue =
            (count & Self.countMask) << (Self.indexBits + 1)
            | (UInt64(truncatingIfNeeded: index) & (1 << Self.indexBits - 1)) << 1 | side.rawValue
    }

    var side: Side {
        @inline(__always) get { self.rawValue & 1 == 0 ? .listener : .dialler }
    }

    /// Below ``slots``.
    var index: Int {
        @inline(__always) get { Int(truncatingIfNeeded: self.rawValue >> 1 & (1 << Self.indexBits - 1)) }
    }

    var count: UInt64 {
        @inline(__always) get { self.rawValue >> (Self.indexBits + 1) }
    }

    /// The count of a slot's next exchange. It is never 0, so that no number of ours is.
    static func count(after count: UInt64) -> UInt64 { max(1, (count + 1) & Self.countMask) }

    /// Whether a slot whose newest exchange had the one count may next have the other: it is ahead, by less than half of all.
    static func isCount(_ count: UInt64, after other: UInt64) -> Bool {
        1...Self.countMask >> 1 ~= (count &- other) & Self.countMask
    }
}

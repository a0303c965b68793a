import NIOCore

/// The id that a request carries through every process and into every log: a version 4 UUID.
///
/// It names, it does not protect; so it comes from a fast generator that is seeded from the system's.
struct RequestID: Sendable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    init(_ first: UInt64, _ second: UInt64) {
        self.high = first & ~0xf000 | 0x4000
        self.low = second & ~(0b11 << 62) | 0b10 << 62
    }

    /// Appends the 36 characters.
    func write(to buffer: inout ByteBuffer) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.length) { room in
            self.write(room.assumingMemoryBound(to: UInt8.self))
            return Self.length
        }
    }

    var description: String {
        String(unsafeUninitializedCapacity: Self.length) { room in
            self.write(room)
            return Self.length
        }
    }

    private static let length = 36

    private func write(_ room: UnsafeMutableBufferPointer<UInt8>) {
        var at = 0
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 {
                room[at] = UInt8(ascii: "-")
                at += 1
            }
            let word = index < 16 ? self.high : self.low
            let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (index % 16))) & 0xf
            room[at] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            at += 1
        }
    }
}

/// SplitMix64.
struct RequestIDs {
    private var state = UInt64.random(in: .min ... .max)

    mutating func next() -> RequestID { RequestID(self.step(), self.step()) }

    private mutating func step() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

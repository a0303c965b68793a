/// What a JSON value is, told by its first byte.
package enum JSONKind: UInt8, Sendable {
    case object, array, string, number, `true`, `false`, null

    /// The kind of the valid value that begins with `byte`.
    @inline(__always)
    init(firstByte byte: UInt8) {
        switch byte {
        case UInt8(ascii: "{"): self = .object
        case UInt8(ascii: "["): self = .array
        case UInt8(ascii: "\""): self = .string
        case UInt8(ascii: "t"): self = .true
        case UInt8(ascii: "f"): self = .false
        case UInt8(ascii: "n"): self = .null
        default: self = .number
        }
    }
}

/// Where a value lies, as offsets from the first byte of the text it was found in (strings include their quotes).
///
/// Meaningless in any other text. Offsets are kept in 32 bits, as in `ByteBuffer`: a message looked at once carries
/// several spans.
package struct JSONSpan: Hashable, Sendable {
    private var lower: UInt32
    private var upper: UInt32
    package var kind: JSONKind

    @inline(__always)
    package init(lowerBound: Int, upperBound: Int, kind: JSONKind) {
        assert(lowerBound <= upperBound)
        self.lower = UInt32(truncatingIfNeeded: lowerBound)
        self.upper = UInt32(truncatingIfNeeded: upperBound)
        self.kind = kind
    }

    package var lowerBound: Int {
        get { Int(self.lower) }
        set { self.lower = UInt32(truncatingIfNeeded: newValue) }
    }

    package var upperBound: Int {
        get { Int(self.upper) }
        set { self.upper = UInt32(truncatingIfNeeded: newValue) }
    }

    /// Length in bytes.
    package var count: Int { self.upperBound - self.lowerBound }
}

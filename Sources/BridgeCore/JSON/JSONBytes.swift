/// Bytes to step through, and the word-at-a-time tests that the validator, the skipper and the writer share.
///
/// The pointer is only as good as the buffer access that it came from. Every read is checked against `count` by the
/// caller, so that even bytes trusted wrongly are never read past their end.
struct JSONBytes {
    let base: UnsafeRawPointer
    let count: Int

    /// `nil` when there is nothing to read.
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return nil }
        self.base = base
        self.count = bytes.count
    }

    @inline(__always)
    private init(base: UnsafeRawPointer, count: Int) {
        self.base = base
        self.count = count
    }

    @inline(__always)
    subscript(index: Int) -> UInt8 {
        self.base.load(fromByteOffset: index, as: UInt8.self)
    }

    /// Eight bytes, the first of them lowest.
    @inline(__always)
    func word(at index: Int) -> UInt64 {
        UInt64(littleEndian: self.base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    }

    /// Four bytes, the first of them lowest.
    @inline(__always)
    func halfWord(at index: Int) -> UInt32 {
        UInt32(littleEndian: self.base.loadUnaligned(fromByteOffset: index, as: UInt32.self))
    }

    @inline(__always)
    func slice(_ lower: Int, _ upper: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.base + lower, count: upper - lower)
    }

    /// Whether the bytes from `lower` to `upper` are those of `other`.
    @inline(__always)
    func equal(_ lower: Int, _ upper: Int, _ other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard upper - lower == other.count, let otherBase = other.baseAddress else {
            return lower == upper && other.isEmpty
        }
        let others = JSONBytes(base: UnsafeRawPointer(otherBase), count: other.count)
        var index = 0
        while index + 8 <= other.count {
            guard self.word(at: lower + index) == others.word(at: index) else { return false }
            index += 8
        }
        while index < other.count {
            guard self[lower + index] == others[index] else { return false }
            index += 1
        }
        return true
    }

    /// The first position from `index` that is not white space, `count` if there is none.
    @inline(__always)
    func skipWhitespace(from index: Int) -> Int {
        // Written messages have no white space, so the first test nearly always settles it.
        guard index < self.count, self[index] <= 0x20 else { return index }
        return self.skipWhitespaceRun(from: index)
    }

    @inline(never)
    private func skipWhitespaceRun(from index: Int) -> Int {
        var index = index
        while index < self.count {
            switch self[index] {
            case 0x20:
                while index + 8 <= self.count, self.word(at: index) == 0x2020_2020_2020_2020 { index += 8 }
                while index < self.count, self[index] == 0x20 { index += 1 }
            case 0x0A, 0x0D, 0x09:
                index += 1
            default:
                return index
            }
        }
        return index
    }
}

/// Long strings, 64 bytes at once.
extension JSONBytes {
    /// A string is worth looking at in blocks from so many bytes on.
    static let longString = 256

    /// Where blocks are tried again, once they have been stepped over up to `end`: later where there were none, since such
    /// a string is full of what has to be looked at.
    @inline(__always)
    static func nextBlocks(after end: Int, from start: Int) -> Int {
        end + (end > start ? Self.longString : 4 * Self.longString)
    }

    /// Steps over whole blocks that hold neither quote nor backslash. The bytes are known to be valid.
    @inline(never)
    func skipTrustedBlocks(from start: Int) -> Int {
        let quote = SIMD16<UInt8>(repeating: UInt8(ascii: "\""))
        let backslash = SIMD16<UInt8>(repeating: UInt8(ascii: "\\"))
        var index = start
        while index + 64 <= self.count {
            let (a, b) = (self.block(at: index), self.block(at: index + 16))
            let (c, d) = (self.block(at: index + 32), self.block(at: index + 48))
            let first = (a .== quote) .| (a .== backslash) .| (b .== quote) .| (b .== backslash)
            let second = (c .== quote) .| (c .== backslash) .| (d .== quote) .| (d .== backslash)
            guard Self.isNone(first .| second) else { return index }
            index += 64
        }
        return index
    }

    /// Steps over whole blocks of characters that are ASCII and may stand in a string as they are.
    @inline(never)
    func skipPlainBlocks(from start: Int) -> Int {
        let quote = SIMD16<Int8>(repeating: 0x22)
        let backslash = SIMD16<Int8>(repeating: 0x5C)
        // Signed: what is beyond ASCII is below it, too.
        let blank = SIMD16<Int8>(repeating: 0x20)
        var index = start
        while index + 64 <= self.count {
            let (a, b) = (self.signedBlock(at: index), self.signedBlock(at: index + 16))
            let (c, d) = (self.signedBlock(at: index + 32), self.signedBlock(at: index + 48))
            let first =
                (a .== quote) .| (a .== backslash) .| (a .< blank) .| (b .== quote) .| (b .== backslash) .| (b .< blank)
            let second =
                (c .== quote) .| (c .== backslash) .| (c .< blank) .| (d .== quote) .| (d .== backslash) .| (d .< blank)
            guard Self.isNone(first .| second) else { return index }
            index += 64
        }
        return index
    }

    @inline(__always)
    private func block(at index: Int) -> SIMD16<UInt8> {
        self.base.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self)
    }

    @inline(__always)
    private func signedBlock(at index: Int) -> SIMD16<Int8> {
        self.base.loadUnaligned(fromByteOffset: index, as: SIMD16<Int8>.self)
    }

    /// `any(_:)` would look at one byte after the other, in the hottest loop there is. The cast is sound: a mask of sixteen
    /// bytes is those bytes, each all ones or all zeros, and takes 16 bytes as two words do.
    @inline(__always)
    private static func isNone(_ mask: SIMDMask<SIMD16<Int8>>) -> Bool {
        let halves = unsafeBitCast(mask, to: SIMD2<UInt64>.self)
        return halves[0] | halves[1] == 0
    }
}

/// Tests on eight bytes at once. In each result the high bit of a byte is set where the test holds; bytes above the
/// lowest hit may be set wrongly (a borrow), so only the lowest hit means something.
enum JSONWord {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Bytes equal to `byte`.
    @inline(__always)
    static func matches(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let difference = word ^ (Self.ones &* UInt64(byte))
        return (difference &- Self.ones) & ~difference & Self.highBits
    }

    /// Bytes that cannot be taken as they are from or into a string: quote, backslash, below 0x20.
    @inline(__always)
    static func needsEscape(_ word: UInt64) -> UInt64 {
        let control = (word &- (Self.ones &* 0x20)) & ~word & Self.highBits
        return control | Self.matches(word, UInt8(ascii: "\"")) | Self.matches(word, UInt8(ascii: "\\"))
    }

    /// When a word begins with a character and holds only well-formed ones of one or two bytes, how many bytes those
    /// are: 8, or 7 when a character of two begins at the last byte.
    @inline(__always)
    static func upToTwoByteCharacters(_ word: UInt64) -> Int? {
        // The upper bits of every byte, moved to its high bit one after the other.
        let continuations = word & ~(word << 1) & Self.highBits
        let leads = word & (word << 1) & ~(word << 2) & Self.highBits
        // C0 and C1 would only write ASCII in two bytes.
        let notOverlong = word << 3 | word << 4 | word << 5 | word << 6
        guard continuations | leads == word & Self.highBits, leads << 8 == continuations, leads & ~notOverlong == 0
        else { return nil }
        return 8 - Int(leads >> 63)
    }

    /// Offset of the lowest hit.
    @inline(__always)
    static func first(_ hits: UInt64) -> Int {
        hits.trailingZeroBitCount >> 3
    }
}

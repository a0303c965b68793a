extension JSONValidator {
    /// Steps over the string whose opening quote is at `start`.
    @inline(__always)
    mutating func string(at start: Int) throws(JSONError) -> Int {
        var index = start + 1
        var long = index + JSONBytes.longString
        while true {
            while index + 8 <= self.bytes.count {
                let word = self.bytes.word(at: index)
                let special = JSONWord.needsEscape(word)
                let beyondASCII = word & JSONWord.highBits
                if special | beyondASCII == 0 {
                    index += 8
                    guard index >= long else { continue }
                    let end = self.bytes.skipPlainBlocks(from: index)
                    long = JSONBytes.nextBlocks(after: end, from: index)
                    index = end
                } else if special == 0, let step = JSONWord.upToTwoByteCharacters(word) {
                    index += step
                } else {
                    index += JSONWord.first(special | beyondASCII)
                    break
                }
            }
            guard index < self.bytes.count else { throw JSONError(.unexpectedEnd, at: self.bytes.count) }
            switch self.bytes[index] {
            case UInt8(ascii: "\""): return index + 1
            case UInt8(ascii: "\\"): index = try self.escape(at: index)
            case 0xC2...0xDF where index + 1 < self.bytes.count && self.bytes[index + 1] & 0xC0 == 0x80: index += 2
            case 0x80...0xFF: index = try self.multibyteRun(at: index)
            case 0..<0x20: throw JSONError(.controlCharacter, at: index)
            default: index += 1
            }
        }
    }

    /// Steps over the escape whose backslash is at `start`.
    @inline(__always)
    private mutating func escape(at start: Int) throws(JSONError) -> Int {
        guard start + 1 < self.bytes.count else { throw JSONError(.unexpectedEnd, at: self.bytes.count) }
        switch self.bytes[start + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start + 2
        case UInt8(ascii: "u"):
            return try self.unicodeEscape(at: start)
        default:
            throw JSONError(.invalidEscape, at: start)
        }
    }

    @inline(never)
    private mutating func unicodeEscape(at start: Int) throws(JSONError) -> Int {
        for index in start + 2..<start + 6 {
            guard index < self.bytes.count else { throw JSONError(.unexpectedEnd, at: index) }
            guard JSONEscape.hexadecimal(self.bytes[index]) != nil else { throw JSONError(.invalidEscape, at: start) }
        }
        // From D800 to DFFF it is half of a pair.
        guard self.bytes[start + 2] | 0x20 == UInt8(ascii: "d"), self.bytes[start + 3] >= UInt8(ascii: "8") else {
            return start + 6
        }
        if self.bytes[start + 3] | 0x20 < UInt8(ascii: "c"), self.isLowHalf(at: start + 6) { return start + 12 }
        self.hasHalfPairs = true
        return start + 6
    }

    private func isLowHalf(at start: Int) -> Bool {
        guard start + 6 <= self.bytes.count, self.bytes[start] == UInt8(ascii: "\\"),
            self.bytes[start + 1] == UInt8(ascii: "u"), self.bytes[start + 2] | 0x20 == UInt8(ascii: "d")
        else { return false }
        switch self.bytes[start + 3] | 0x20 {
        case UInt8(ascii: "c")...UInt8(ascii: "f"):
            return (start + 4..<start + 6).allSatisfy { JSONEscape.hexadecimal(self.bytes[$0]) != nil }
        default: return false
        }
    }

    /// Steps over characters beyond ASCII, the first of which begins at `start`.
    @inline(never)
    private func multibyteRun(at start: Int) throws(JSONError) -> Int {
        var index = start
        while index < self.bytes.count, self.bytes[index] >= 0x80 {
            while index + 8 <= self.bytes.count, Self.beginsWithTwoOfThree(self.bytes.word(at: index)) { index += 6 }
            guard index < self.bytes.count, self.bytes[index] >= 0x80 else { break }
            index = try self.multibyte(at: index)
        }
        return index
    }

    /// Whether a word begins with two characters of three bytes each whose first bytes put no bounds on the second.
    @inline(__always)
    private static func beginsWithTwoOfThree(_ word: UInt64) -> Bool {
        let bounded: UInt64 = 1 << 0x0 | 1 << 0xD  // E0 and ED
        return word & 0x0000_C0C0_F0C0_C0F0 == 0x0000_8080_E080_80E0
            && (bounded >> (word & 0xF) | bounded >> (word >> 24 & 0xF)) & 1 == 0
    }

    /// Steps over one character of two to four bytes: the well-formed sequences of Unicode's table 3-7 and no others.
    @inline(__always)
    private func multibyte(at start: Int) throws(JSONError) -> Int {
        let lead = self.bytes[start]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw JSONError(.invalidUTF8, at: start)
        }
        guard start + 1 < self.bytes.count else { throw JSONError(.unexpectedEnd, at: self.bytes.count) }
        guard second.contains(self.bytes[start + 1]) else { throw JSONError(.invalidUTF8, at: start) }
        for index in start + 2..<start + length {
            guard index < self.bytes.count else { throw JSONError(.unexpectedEnd, at: self.bytes.count) }
            guard self.bytes[index] & 0xC0 == 0x80 else { throw JSONError(.invalidUTF8, at: start) }
        }
        return start + length
    }

    /// Steps over the number that begins at `start`.
    @inline(__always)
    func number(at start: Int) throws(JSONError) -> Int {
        var index = start
        if self.bytes[index] == UInt8(ascii: "-") { index += 1 }
        let integer = index
        index = try self.digits(at: index, of: start)
        if self.bytes[integer] == UInt8(ascii: "0"), index > integer + 1 { throw JSONError(.invalidNumber, at: start) }
        guard index < self.bytes.count else { return index }
        if self.bytes[index] == UInt8(ascii: ".") { index = try self.digits(at: index + 1, of: start) }
        guard index < self.bytes.count else { return index }
        if self.bytes[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if index < self.bytes.count,
                self.bytes[index] == UInt8(ascii: "+") || self.bytes[index] == UInt8(ascii: "-")
            {
                index += 1
            }
            index = try self.digits(at: index, of: start)
        }
        return index
    }

    /// Steps over one or more digits.
    @inline(__always)
    private func digits(at start: Int, of number: Int) throws(JSONError) -> Int {
        var index = start
        while index < self.bytes.count, self.bytes[index] &- UInt8(ascii: "0") < 10 { index += 1 }
        guard index > start else {
            throw index < self.bytes.count
                ? JSONError(.invalidNumber, at: number) : JSONError(.unexpectedEnd, at: index)
        }
        return index
    }

    /// Steps over `true`, `false` or `null`.
    @inline(__always)
    func literal(at start: Int) throws(JSONError) -> Int {
        if start + 4 <= self.bytes.count {
            switch self.bytes.halfWord(at: start) {
            case 0x6575_7274, 0x6C6C_756E: return start + 4  // "true", "null"
            case 0x736C_6166 where start + 4 < self.bytes.count && self.bytes[start + 4] == UInt8(ascii: "e"):
                return start + 5
            default: break
            }
        }
        throw self.notALiteral(at: start)
    }

    private func notALiteral(at start: Int) -> JSONError {
        let rest = self.bytes.slice(start, min(start + 5, self.bytes.count))
        for literal in ["true", "false", "null"] {
            guard literal.utf8.first == rest.first else { continue }
            let isCutShort = start + rest.count == self.bytes.count && literal.utf8.starts(with: rest)
            return isCutShort ? JSONError(.unexpectedEnd, at: self.bytes.count) : JSONError(.invalidLiteral, at: start)
        }
        return JSONError(.unexpectedByte, at: start)
    }
}

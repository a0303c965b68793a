/// Steps over JSON that is known to be valid, looking only at what shows where values end.
///
/// On bytes that are not valid after all it finds nonsense, but never reads beyond them.
struct JSONSkipper {
    let bytes: JSONBytes

    /// A member's key, as offsets into the bytes.
    struct Key {
        /// Between the quotes.
        let lower: Int
        let upper: Int
        let hasEscapes: Bool

        /// In bytes as written.
        var count: Int { self.upper - self.lower }
    }

    @inline(__always)
    init(_ bytes: JSONBytes) {
        self.bytes = bytes
    }

    /// The end of the string whose opening quote is at `start`, and whether it has escapes.
    @inline(__always)
    func string(at start: Int) -> (end: Int, hasEscapes: Bool) {
        var index = start + 1
        var hasEscapes = false
        var long = index + JSONBytes.longString
        while index < self.bytes.count {
            while index + 8 <= self.bytes.count {
                let word = self.bytes.word(at: index)
                let hits = JSONWord.matches(word, UInt8(ascii: "\"")) | JSONWord.matches(word, UInt8(ascii: "\\"))
                if hits != 0 {
                    index += JSONWord.first(hits)
                    break
                }
                index += 8
                guard index >= long else { continue }
                let end = self.bytes.skipTrustedBlocks(from: index)
                long = JSONBytes.nextBlocks(after: end, from: index)
                index = end
            }
            guard index < self.bytes.count else { break }
            switch self.bytes[index] {
            case UInt8(ascii: "\""): return (index + 1, hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                index += 2
            default: index += 1
            }
        }
        return (self.bytes.count, hasEscapes)
    }

    /// The value that begins at `start`.
    @inline(__always)
    func value(at start: Int) -> JSONSpan {
        guard start < self.bytes.count else {
            return JSONSpan(lowerBound: self.bytes.count, upperBound: self.bytes.count, kind: .null)
        }
        let kind = JSONKind(firstByte: self.bytes[start])
        let end =
            switch kind {
            case .object, .array: self.container(at: start)
            case .string: self.string(at: start).end
            case .true, .null: min(start + 4, self.bytes.count)
            case .false: min(start + 5, self.bytes.count)
            case .number: self.number(at: start)
            }
        return JSONSpan(lowerBound: start, upperBound: end, kind: kind)
    }

    @inline(__always)
    private func number(at start: Int) -> Int {
        var index = start + 1
        while index < self.bytes.count {
            switch self.bytes[index] {
            case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0...0x20: return index
            default: index += 1
            }
        }
        return self.bytes.count
    }

    /// The end of the object or array that begins at `start`.
    private func container(at start: Int) -> Int {
        var index = start + 1
        var depth = 1
        while index < self.bytes.count {
            switch self.bytes[index] {
            case UInt8(ascii: "\""):
                index = self.string(at: index).end
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return index + 1 }
            default: break
            }
            index += 1
        }
        return self.bytes.count
    }

    /// Calls `body` with the key of each member of the object at `start` and where its value begins. `body` returns
    /// where that value ends, or `nil` to stop. Returns the end of the object, or `nil` when stopped.
    @inline(__always)
    func members<Failure>(
        ofObjectAt start: Int, _ body: (Key, Int) throws(Failure) -> Int?
    ) throws(Failure) -> Int? {
        var index = self.bytes.skipWhitespace(from: start + 1)
        while index < self.bytes.count, self.bytes[index] == UInt8(ascii: "\"") {
            let (end, hasEscapes) = self.string(at: index)
            let start = self.bytes.skipWhitespace(from: self.bytes.skipWhitespace(from: end) + 1)
            guard start < self.bytes.count else { return self.bytes.count }
            let key = Key(lower: index + 1, upper: max(end - 1, index + 1), hasEscapes: hasEscapes)
            guard let next = try body(key, start) else { return nil }
            index = self.bytes.skipWhitespace(from: next)
            guard index < self.bytes.count, self.bytes[index] == UInt8(ascii: ",") else { break }
            index = self.bytes.skipWhitespace(from: index + 1)
        }
        return min(index + 1, self.bytes.count)
    }

    /// Calls `body` for each element of the array at `start`.
    @inline(__always)
    func elements(ofArrayAt start: Int, _ body: (JSONSpan) throws -> Void) rethrows {
        var index = self.bytes.skipWhitespace(from: start + 1)
        while index < self.bytes.count, self.bytes[index] != UInt8(ascii: "]") {
            let value = self.value(at: index)
            try body(value)
            index = self.bytes.skipWhitespace(from: value.upperBound)
            guard index < self.bytes.count, self.bytes[index] == UInt8(ascii: ",") else { return }
            index = self.bytes.skipWhitespace(from: index + 1)
        }
    }

    /// Compares bytewise, after unescaping where the key is written with escapes.
    @inline(__always)
    func key(_ key: Key, is name: UnsafeBufferPointer<UInt8>) -> Bool {
        if key.hasEscapes { return JSONEscape.decode(self.bytes.slice(key.lower, key.upper)).utf8.elementsEqual(name) }
        return self.bytes.equal(key.lower, key.upper, name)
    }

    @inline(__always)
    func key(_ key: Key, is name: StaticString) -> Bool {
        name.withUTF8Buffer { self.key(key, is: $0) }
    }
}

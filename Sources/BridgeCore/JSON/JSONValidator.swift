/// Decides in one pass, without recursion, whether some bytes are exactly one JSON value (RFC 8259).
///
/// Stricter than many: no leading zeros, trailing commas, comments, byte order mark or `NaN`; UTF-8 is checked in every
/// string. A lone surrogate written as `\uD800` is accepted, because the grammar allows it; it decodes to U+FFFD, and it is
/// reported that there is one.
struct JSONValidator {
    let bytes: JSONBytes
    private let maximumDepth: Int
    private var nesting = JSONNesting()
    /// Whether an escape of half a surrogate pair has been seen.
    var hasHalfPairs = false

    /// Where in `input` the value lies, without the white space around it, and whether half a surrogate pair is in it.
    static func validate(
        _ input: UnsafeRawBufferPointer, limits: JSONLimits
    ) throws(JSONError) -> (span: JSONSpan, hasHalfPairs: Bool) {
        let (span, rest, hasHalfPairs) = try self.leading(input, limits: limits)
        guard rest == input.count else { throw JSONError(.trailingBytes, at: rest) }
        return (span, hasHalfPairs)
    }

    /// Where in `input` the value lies that it begins with, and where what is behind that begins, white space aside.
    static func leading(
        _ input: UnsafeRawBufferPointer, limits: JSONLimits
    ) throws(JSONError) -> (span: JSONSpan, rest: Int, hasHalfPairs: Bool) {
        guard input.count <= limits.maximumBytes else { throw JSONError(.tooLarge, at: limits.maximumBytes) }
        guard let bytes = JSONBytes(input) else { throw JSONError(.unexpectedEnd, at: 0) }
        var validator = JSONValidator(bytes: bytes, maximumDepth: limits.maximumDepth)
        let start = bytes.skipWhitespace(from: 0)
        let end = try validator.value(at: start)
        let span = JSONSpan(lowerBound: start, upperBound: end, kind: JSONKind(firstByte: bytes[start]))
        return (span, bytes.skipWhitespace(from: end), validator.hasHalfPairs)
    }

    private init(bytes: JSONBytes, maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    /// Steps over the value at `start` and everything in it. Returns the position after it.
    private mutating func value(at start: Int) throws(JSONError) -> Int {
        var index = start
        while true {
            // A value begins at `index`.
            guard index < self.bytes.count else { throw JSONError(.unexpectedEnd, at: index) }
            switch self.bytes[index] {
            case UInt8(ascii: "\""):
                index = try self.string(at: index)
            case UInt8(ascii: "{"):
                try self.open(object: true, at: index)
                index = self.bytes.skipWhitespace(from: index + 1)
                if index < self.bytes.count, self.bytes[index] == UInt8(ascii: "}") { break }
                index = try self.key(at: index)
                continue
            case UInt8(ascii: "["):
                try self.open(object: false, at: index)
                index = self.bytes.skipWhitespace(from: index + 1)
                if index < self.bytes.count, self.bytes[index] == UInt8(ascii: "]") { break }
                continue
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                index = try self.number(at: index)
            default:
                index = try self.literal(at: index)
            }
            // A value has ended before `index`, or an empty container is about to.
            if try self.close(&index) { return index }
        }
    }

    /// Ends containers until another value must follow (`false`) or the outermost value has ended (`true`).
    @inline(__always)
    private mutating func close(_ index: inout Int) throws(JSONError) -> Bool {
        while self.nesting.depth > 0 {
            index = self.bytes.skipWhitespace(from: index)
            guard index < self.bytes.count else { throw JSONError(.unexpectedEnd, at: index) }
            let byte = self.bytes[index]
            if byte == UInt8(ascii: ",") {
                index = self.bytes.skipWhitespace(from: index + 1)
                if self.nesting.isObject { index = try self.key(at: index) }
                return false
            }
            guard byte == (self.nesting.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                throw JSONError(.unexpectedByte, at: index)
            }
            self.nesting.pop()
            index += 1
        }
        return true
    }

    @inline(__always)
    private mutating func open(object: Bool, at index: Int) throws(JSONError) {
        guard self.nesting.depth < self.maximumDepth else { throw JSONError(.tooDeep, at: index) }
        self.nesting.push(object: object)
    }

    /// Steps over a member's key, its colon and the white space after it.
    @inline(__always)
    private mutating func key(at start: Int) throws(JSONError) -> Int {
        guard start < self.bytes.count else { throw JSONError(.unexpectedEnd, at: start) }
        guard self.bytes[start] == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: start) }
        let index = self.bytes.skipWhitespace(from: try self.string(at: start))
        guard index < self.bytes.count else { throw JSONError(.unexpectedEnd, at: index) }
        guard self.bytes[index] == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: index) }
        return self.bytes.skipWhitespace(from: index + 1)
    }
}

/// Which containers are open: a bit each, the innermost lowest. Only more than 64 of them need memory.
struct JSONNesting {
    private(set) var depth = 0
    private var bits: UInt64 = 0
    private var spilled: [UInt64] = []

    /// Whether the innermost container is an object.
    var isObject: Bool {
        @inline(__always) get { self.bits & 1 != 0 }
    }

    @inline(__always)
    mutating func push(object: Bool) {
        if self.depth & 63 == 0, self.depth > 0 { self.spilled.append(self.bits) }
        self.bits = self.bits << 1 | (object ? 1 : 0)
        self.depth += 1
    }

    @inline(__always)
    mutating func pop() {
        self.bits >>= 1
        self.depth -= 1
        if self.depth & 63 == 0, let last = self.spilled.popLast() { self.bits = last }
    }
}

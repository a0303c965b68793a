/// A second reader of JSON, written for obviousness: recursive, byte by byte, sharing nothing with the one it checks.
struct JSONReference {
    private let bytes: [UInt8]
    private var index = 0

    /// Whether `bytes` are one JSON value nested at most `maximumDepth` deep.
    static func accepts(_ bytes: [UInt8], maximumDepth: Int = 128) -> Bool {
        var reader = JSONReference(bytes: bytes)
        reader.space()
        guard reader.value(maximumDepth) else { return false }
        reader.space()
        return reader.index == bytes.count
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { self.index < self.bytes.count ? self.bytes[self.index] : nil }

    private mutating func take(_ text: String) -> Bool {
        guard self.bytes.dropFirst(self.index).starts(with: text.utf8) else { return false }
        self.index += text.utf8.count
        return true
    }

    private mutating func space() {
        while let next, [0x20, 0x09, 0x0A, 0x0D].contains(next) { self.index += 1 }
    }

    private mutating func value(_ depth: Int) -> Bool {
        switch self.next {
        case UInt8(ascii: "{"): return self.container("}", depth) { $0.member(depth - 1) }
        case UInt8(ascii: "["): return self.container("]", depth) { $0.value(depth - 1) }
        case UInt8(ascii: "\""): return self.string()
        case UInt8(ascii: "t"): return self.take("true")
        case UInt8(ascii: "f"): return self.take("false")
        case UInt8(ascii: "n"): return self.take("null")
        default: return self.number()
        }
    }

    private mutating func container(_ close: String, _ depth: Int, _ item: (inout Self) -> Bool) -> Bool {
        guard depth > 0 else { return false }
        self.index += 1
        self.space()
        if self.take(close) { return true }
        while true {
            guard item(&self) else { return false }
            self.space()
            if self.take(close) { return true }
            guard self.take(",") else { return false }
            self.space()
        }
    }

    private mutating func member(_ depth: Int) -> Bool {
        guard self.next == UInt8(ascii: "\""), self.string() else { return false }
        self.space()
        guard self.take(":") else { return false }
        self.space()
        return self.value(depth)
    }

    private mutating func string() -> Bool {
        self.index += 1
        let start = self.index
        while let next {
            self.index += 1
            switch next {
            case UInt8(ascii: "\""): return String(validating: self.bytes[start..<self.index], as: UTF8.self) != nil
            case UInt8(ascii: "\\"): guard self.escape() else { return false }
            case 0..<0x20: return false
            default: break
            }
        }
        return false
    }

    private mutating func escape() -> Bool {
        guard let letter = self.next else { return false }
        self.index += 1
        guard letter == UInt8(ascii: "u") else { return "\"\\/bfnrt".utf8.contains(letter) }
        let digits = self.bytes.dropFirst(self.index).prefix(4)
        self.index += digits.count
        return digits.count == 4 && digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 }
    }

    private mutating func number() -> Bool {
        _ = self.take("-")
        let integer = self.digits()
        guard integer > 0 else { return false }
        if integer > 1, self.bytes[self.index - integer] == UInt8(ascii: "0") { return false }
        if self.take("."), self.digits() == 0 { return false }
        if self.take("e") || self.take("E") {
            if !self.take("+") { _ = self.take("-") }
            return self.digits() > 0
        }
        return true
    }

    private mutating func digits() -> Int {
        let start = self.index
        while let next, (0x30...0x39).contains(next) { self.index += 1 }
        return self.index - start
    }
}

extension String {
    /// Without the white space of JSON around it.
    var trimmedOfJSONSpace: String {
        let isSpace: (UInt8) -> Bool = { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        let rest = Array(self.utf8).drop(while: isSpace)
        return String(decoding: rest.reversed().drop(while: isSpace).reversed(), as: UTF8.self)
    }
}

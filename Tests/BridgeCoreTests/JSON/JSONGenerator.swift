import BridgeTesting

/// Makes JSON texts of every shape, and damages them.
struct JSONGenerator {
    var random: SeededRandom

    init(seed: UInt64) { self.random = SeededRandom(seed: seed) }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self.random) }
    private mutating func pick<Element>(_ choices: [Element]) -> Element { choices[self.below(choices.count)] }

    /// A valid text, spelled as oddly as the grammar allows. Keys are unique within each object.
    mutating func text(depth: Int = 5) -> String {
        self.space() + self.value(depth: self.below(depth + 1)) + self.space()
    }

    private mutating func space() -> String {
        self.below(4) > 0 ? "" : self.pick([" ", "\n", "\t", "\r\n", "  ", "\n                ", " \t \n\n \r"])
    }

    mutating func value(depth: Int) -> String {
        switch self.below(depth > 0 ? 10 : 6) {
        case 0: return self.pick(["true", "false", "null"])
        case 1, 2: return self.number()
        case 3...5: return self.string()
        case 6, 7:
            let items = (0..<self.below(6)).map { _ in self.space() + self.value(depth: depth - 1) + self.space() }
            return "[" + (items.isEmpty ? self.space() : items.joined(separator: ",")) + "]"
        default:
            let members = (0..<self.below(6)).map { index in
                // The number keeps keys apart even when they decode to the same text otherwise.
                let key = self.string().dropLast() + "\(index)\""
                return self.space() + key + self.space() + ":" + self.space() + self.value(depth: depth - 1)
                    + self.space()
            }
            return "{" + (members.isEmpty ? self.space() : members.joined(separator: ",")) + "}"
        }
    }

    mutating func number() -> String {
        let integer = self.pick([
            "0", "1", "7", "10", "42", "999", "1234567", "9007199254740993", "\(self.below(1 << 40))",
        ])
        let fraction = self.below(3) > 0 ? "" : "." + self.pick(["0", "5", "25", "000", "125", "3333333333333333"])
        let exponent =
            self.below(4) > 0
            ? "" : self.pick(["e", "E"]) + self.pick(["", "+", "-"]) + self.pick(["0", "1", "02", "10", "17"])
        return self.pick(["", "", "-"]) + integer + fraction + exponent
    }

    mutating func string() -> String {
        var content = ""
        for _ in 0..<self.below(self.below(8) == 0 ? 60 : 12) {
            switch self.below(12) {
            case 0: content += self.pick([#"\""#, #"\\"#, #"\/"#, #"\b"#, #"\f"#, #"\n"#, #"\r"#, #"\t"#])
            case 1:
                content += self.pick([
                    #"\u0041"#, #"\u00e9"#, #"\u0000"#, #"\u001F"#, #"\u2028"#, #"\uFFFd"#, #"\ud83d\uDE00"#,
                ])
            case 2: content += self.pick(["é", "ß", "Ж", "\u{7FF}", "\u{80}"])
            case 3: content += self.pick(["日", "€", "\u{800}", "\u{FFFD}", "\u{D7FF}", "\u{E000}"])
            case 4: content += self.pick(["😀", "\u{10000}", "\u{10FFFF}", "👩‍👩‍👧"])
            case 5: content += self.pick(["{", "}", "[", "]", ":", ",", "/", "\u{7F}", "null"])
            default: content += self.pick(["a", "b", "z", "0", " ", "word", "jsonrpc", "plain text"])
            }
        }
        return "\"" + content + "\""
    }

    /// `bytes` with one to three small accidents: flips, losses, doublings, insertions, cuts.
    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...self.below(3) where !bytes.isEmpty {
            let position = self.below(bytes.count)
            switch self.below(7) {
            case 0: bytes[position] = UInt8(self.below(256))
            case 1: bytes.remove(at: position)
            case 2: bytes.insert(self.pick(Array(#"{}[]",:\0123456789+-.eEtfnu /"#.utf8)), at: position)
            case 3:
                bytes.insert(
                    self.pick([0x00, 0x1F, 0x7F, 0x80, 0xBF, 0xC0, 0xC3, 0xE2, 0xED, 0xF0, 0xF4, 0xFF]), at: position)
            case 4: bytes.removeSubrange(position...)
            case 5:
                bytes.insert(contentsOf: bytes[position..<min(position + 1 + self.below(8), bytes.count)], at: position)
            default: bytes.swapAt(position, self.below(bytes.count))
            }
        }
        return bytes
    }
}

import Foundation
import NIOCore
import Testing

@testable import BridgeCore

/// Generated texts, whole and damaged, judged by three readers.
///
/// `MCP_BRIDGE_FUZZ_ITERATIONS` makes a run longer, `MCP_BRIDGE_FUZZ_SEED` makes it another one.
@Suite("JSON against other readers") struct JSONDifferentialTests {
    static let iterations = Self.setting("MCP_BRIDGE_FUZZ_ITERATIONS") ?? 4000
    static let seed = UInt64(Self.setting("MCP_BRIDGE_FUZZ_SEED") ?? 20_260_728)

    private static func setting(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap(Int.init) }

    @Test func `a generated text is accepted, kept, and means what Foundation says it means`() throws {
        var generator = JSONGenerator(seed: Self.seed)
        for iteration in 0..<Self.iterations {
            let text = generator.text()
            let json = try #require(
                try? JSONText(validating: ByteBuffer(string: text)), "iteration \(iteration) refused: \(text)")
            #expect(json.description == text.trimmedOfJSONSpace)
            let theirs = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
            #expect(json.means(theirs), "iteration \(iteration): \(text)")
        }
    }

    @Test func `a damaged text is judged as by a plain reader`() {
        var generator = JSONGenerator(seed: Self.seed &+ 1)
        var accepted = 0
        for iteration in 0..<Self.iterations * 4 {
            let bytes = generator.damaged(Array(generator.text().utf8))
            let isValid = JSONReference.accepts(bytes)
            let isAccepted = (try? JSONText(validating: ByteBuffer(bytes: bytes))) != nil
            accepted += isAccepted ? 1 : 0
            if isAccepted != isValid { Issue.record("iteration \(iteration) accepted: \(isAccepted): \(bytes)") }
        }
        #expect((Self.iterations / 10..<Self.iterations * 4).contains(accepted), "the damage proves nothing")
    }

    @Test func `a damaged text is judged as by Foundation, but for what Foundation is known to do otherwise`() {
        var generator = JSONGenerator(seed: Self.seed &+ 2)
        var agreements = 0
        for iteration in 0..<Self.iterations {
            let bytes = generator.damaged(Array(generator.text().utf8))
            let isAccepted = (try? JSONText(validating: ByteBuffer(bytes: bytes))) != nil
            let theirs = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
            if isAccepted == theirs {
                agreements += 1
            } else if !FoundationHabit.explains(bytes, weAccept: isAccepted) {
                Issue.record(
                    "iteration \(iteration) we: \(isAccepted), they: \(theirs): \(bytes)"
                )
            }
        }
        #expect(agreements > Self.iterations * 9 / 10, "too many exceptions for the test to mean anything")
    }

    @Test func `nonsense trusted by mistake is never read beyond its end`() {
        var generator = JSONGenerator(seed: Self.seed &+ 3)
        for _ in 0..<Self.iterations {
            let bytes = generator.damaged(Array(generator.text().utf8))
            guard !bytes.isEmpty else { continue }
            // A buffer of just that size: a sanitizer would see a read past it.
            let json = JSONText(trusting: ByteBuffer(bytes: bytes))
            var visited = 0
            json.visitAll { value, key in
                visited += value.count
                _ = value.string
                _ = value.int
                _ = value.double
                _ = key?.string
                var line = ByteBuffer()
                value.writeOnOneLine(to: &line)
            }
            #expect(visited >= bytes.count)
            _ = try? RPCMessage(json)
            _ = json.member("zzz")
        }
    }
}

/// What swift-corelibs-foundation's `JSONSerialization` is known to do otherwise.
private enum FoundationHabit {
    static func explains(_ bytes: [UInt8], weAccept: Bool) -> Bool {
        weAccept ? self.isStricter(bytes) : self.isMoreLenient(bytes)
    }

    /// It refuses surrogates without their partner, and numbers beyond the finite doubles. RFC 8259 allows both.
    private static func isStricter(_ bytes: [UInt8]) -> Bool {
        var found = false
        JSONText(trusting: ByteBuffer(bytes: bytes.drop { $0 <= 0x20 })).visitAll { json, key in
            if json.kind == .number, json.double == nil { found = true }
            for string in [json, key].compactMap({ $0 }) where string.kind == .string {
                let decoded = string.string?.unicodeScalars.count { $0 == "\u{FFFD}" } ?? 0
                found = found || decoded > Self.replacementCharacters(writtenIn: string.description)
            }
        }
        return found
    }

    /// How many U+FFFD a string holds that its author meant.
    private static func replacementCharacters(writtenIn string: String) -> Int {
        let escaped = string.lowercased().components(separatedBy: #"\ufffd"#).count - 1
        return escaped + string.unicodeScalars.count { $0 == "\u{FFFD}" }
    }

    /// It guesses the encoding: NUL bytes at the start make a text UTF-16 or UTF-32, and byte order marks are skipped.
    /// JSON between systems is UTF-8 (RFC 8259, section 8.1). And it allows a comma after the last member or element.
    private static func isMoreLenient(_ bytes: [UInt8]) -> Bool {
        let marks: [[UInt8]] = [[0xEF, 0xBB, 0xBF], [0xFE, 0xFF], [0xFF, 0xFE]]
        return bytes.prefix(4).contains(0) || marks.contains { bytes.starts(with: $0) }
            || JSONReference.accepts(self.withoutTrailingCommas(bytes))
    }

    private static func withoutTrailingCommas(_ bytes: [UInt8]) -> [UInt8] {
        var isInString = false
        var isEscaped = false
        return bytes.indices.compactMap { index in
            let byte = bytes[index]
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = isInString
            } else if byte == UInt8(ascii: "\"") {
                isInString.toggle()
            } else if byte == UInt8(ascii: ","), !isInString {
                let next = bytes[(index + 1)...].first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
                if next == UInt8(ascii: "]") || next == UInt8(ascii: "}") { return nil }
            }
            return byte
        }
    }
}

extension JSONText {
    /// Whether this value, read by the lookups under test alone, is what `JSONSerialization` made of it.
    fileprivate func means(_ theirs: Any) -> Bool {
        switch (self.kind, theirs) {
        case (.object, let theirs as [String: Any]):
            var count = 0
            var isSame = true
            self.members { key, value in
                count += 1
                isSame = isSame && theirs[key.string].map(self[value].means) ?? false
            }
            return isSame && count == theirs.count
        case (.array, let theirs as [Any]):
            var rest = theirs[...]
            var isSame = true
            self.elements { value in
                isSame = isSame && rest.popFirst().map(self[value].means) ?? false
            }
            return isSame && rest.isEmpty
        case (.string, let theirs as String):
            return self.string?.utf8.elementsEqual(theirs.utf8) ?? false
        case (.number, let theirs as NSNumber):
            if let int { return theirs.int64Value == int }
            // Theirs went through a decimal number of 38 digits, which costs it the last bit of some doubles.
            guard let double else { return false }
            return abs(theirs.doubleValue - double) <= abs(double) * 1e-15
        case (.true, let theirs as Bool): return theirs
        case (.false, let theirs as Bool): return !theirs
        case (.null, is NSNull): return true
        default: return false
        }
    }

    /// Every value in this one, with its key if it has one, at any depth that nonsense may reach.
    func visitAll(_ body: (JSONText, JSONText?) -> Void) {
        body(self, nil)
        var pending = [self.span]
        var budget = 2000
        while let span = pending.popLast(), budget > 0 {
            budget -= 1
            self.members(in: span) { key, value in
                body(self[value], key.text)
                pending.append(value)
            }
            self.elements(in: span) { value in
                body(self[value], nil)
                pending.append(value)
            }
        }
    }
}

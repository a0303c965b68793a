import BridgeTesting
import Testing

@testable import BridgeCore
@testable import BridgeMCP

@Suite("Public names") struct PublicNameTests {
    private func names(_ prefix: String, _ name: String, separator: String = ".") -> PublicName {
        PublicName(prefix: prefix, separator: separator, name: name)
    }

    private func isSafe(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
    }

    @Test(arguments: [
        ("github", "create_issue", "github.create_issue", "github__create_issue"),
        ("a-b", "c-d", "a-b.c-d", "a-b__c-d"),
        ("", "plain", "plain", "plain"),
        ("", "_leading", "_leading", "_leading"),
    ])
    func `are spelled with a dot, and safely`(prefix: String, name: String, dot: String, safe: String) {
        #expect(self.names(prefix, name).dot == dot)
        #expect(self.names(prefix, name).safe == safe)
    }

    @Test func `of what is not renamed are what they are, in both spellings`() {
        let name = PublicName(verbatim: "file:///a b")
        #expect(name.dot == "file:///a b" && name.safe == name.dot)
    }

    @Test func `use the configured separator in the first spelling only`() {
        #expect(self.names("s", "t", separator: "/").dot == "s/t")
        #expect(self.names("s", "t", separator: "/").safe == self.names("s", "t").safe)
    }

    @Test(arguments: [
        "with space", "dots.inside", "päth", "工具", "a/b", "", "a__b", "_a", "a_", String(repeating: "x", count: 100),
        String(repeating: "é", count: 40), "💥", "a\u{0}b",
    ])
    func `have a safe spelling of 1 to 64 safe characters, the same every time`(name: String) {
        for prefix in ["", "s", "ser ver", String(repeating: "p", count: 80)] where !(prefix.isEmpty && name.isEmpty) {
            let safe = self.names(prefix, name).safe
            #expect(self.isSafe(safe), "\(safe)")
            #expect(safe == self.names(prefix, name).safe)
        }
    }

    @Test func `are cut with a hash beyond 64 characters, not before`() {
        let fits = self.names("s", String(repeating: "x", count: 61)).safe
        #expect(fits == "s__" + String(repeating: "x", count: 61))
        let long = self.names("s", String(repeating: "x", count: 62)).safe
        #expect(long.utf8.count == 64)
        #expect(long.hasPrefix("s__xxxx"))
        #expect(long != self.names("s", String(repeating: "x", count: 63)).safe)
    }

    /// Pairs of different tools whose safe spellings a careless rule would make the same.
    @Test(arguments: [
        (("a", "b__c"), ("a__b", "c")), (("a_", "b"), ("a", "_b")), (("a", "_b"), ("a_", "b")),
        (("", "a__b"), ("a", "b")), (("s", "a.b"), ("s", "a_b")), (("s", "a b"), ("s", "a.b")),
        (("s", "é"), ("s", "è")), (("a.b", "c"), ("a", "b.c")), (("a", "b"), ("A", "b")),
    ])
    func `of different tools stay different`(first: (String, String), second: (String, String)) {
        #expect(self.names(first.0, first.1).safe != self.names(second.0, second.1).safe)
    }

    /// The oracle for what stays readable: every piece is safe already, and where they meet is plain.
    private func isPlain(_ prefix: String, _ name: String) -> Bool {
        let pieces = prefix.isEmpty ? [name] : [prefix, name]
        let isUnmistakable = pieces.allSatisfy { piece in
            !piece.contains("__") && (pieces.count == 1 || (piece.first != "_" && piece.last != "_"))
        }
        return isUnmistakable && self.isSafe(pieces.joined(separator: "__"))
    }

    @Test(arguments: 0..<4)
    func `of any random tools are safe, readable, told apart and known again`(seed: UInt64) {
        let pieces = ["a", "_", "__", "-", ".", "b", "é", "x y", "A", "工", "\u{0}", "/", "longer-than-others"]
        var seen: [String: (String, String)] = [:]
        Fuzz.cases(2_500, seed: seed) { random, name in
            // No name of a server has a NUL.
            let prefix = Fuzz.text(of: pieces.filter { $0 != "\u{0}" }, 0...5, &random)
            let own = Fuzz.text(of: pieces, 1...6, &random)
            let separator = [".", "/", "__", "-"].randomElement(using: &random) ?? "."
            let names = self.names(prefix, own, separator: separator)
            #expect(self.isSafe(names.safe), "\(names.safe) \(name)")
            #expect(names.dot == (prefix.isEmpty ? own : prefix + separator + own), "\(name)")
            // A safe name is made of the two names, and of nothing else that is configured.
            #expect(names.safe == self.names(prefix, own).safe, "\(name)")
            if self.isPlain(prefix, own) {
                #expect(names.safe == (prefix.isEmpty ? own : prefix + "__" + own), "\(name)")
            } else {
                #expect(names.safe.count >= 11 && names.safe.dropLast(10).last == "_", "\(names.safe) \(name)")
            }
            if let other = seen[names.safe] { #expect(other == (prefix, own), "\(names.safe) \(name)") }
            seen[names.safe] = (prefix, own)
            // By either spelling one sees whose it may be.
            for spelling in [names.dot, names.safe] {
                #expect(
                    PublicName.mayBe(spelling, prefix: prefix, separator: separator), "\(spelling) \(prefix) \(name)")
            }
        }
    }
}

@Suite("Patterns") struct GlobTests {
    /// Tries everything.
    private func matches(_ name: ArraySlice<UnicodeScalar>, _ pattern: ArraySlice<UnicodeScalar>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        if first == "*" {
            return self.matches(name, pattern.dropFirst()) || (!name.isEmpty && self.matches(name.dropFirst(), pattern))
        }
        guard let next = name.first, first == "?" || first == next else { return false }
        return self.matches(name.dropFirst(), pattern.dropFirst())
    }

    @Test(arguments: 0..<4)
    func `match as trying everything does`(seed: UInt64) {
        Fuzz.cases(2_500, seed: seed) { random, case_ in
            let name = Fuzz.text(of: ["a", "b", "é", "💥", "\u{301}"], 0...8, &random)
            let pattern = Fuzz.text(of: ["a", "b", "*", "?", "é", "**"], 0...7, &random)
            let wanted = self.matches(Array(name.unicodeScalars)[...], Array(pattern.unicodeScalars)[...])
            #expect(Glob.matches(name, pattern: pattern) == wanted, "\(name) \(pattern) \(case_)")
        }
    }

    @Test func `with many stars end all the same`() {
        let pattern = String(repeating: "*a", count: 500) + "b"
        #expect(!Glob.matches(String(repeating: "a", count: 5_000), pattern: pattern))
    }
}

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

    @Test func `of any two random tools differ`() {
        var random = SeededRandom(seed: 5)
        let pieces = ["a", "_", "__", "-", ".", "b", "é", "x y", "A"]
        func piece() -> String {
            (0...Int.random(in: 0...3, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
        }
        var seen: [String: (String, String)] = [:]
        for _ in 0..<20_000 {
            let pair = (piece(), piece())
            let safe = self.names(pair.0, pair.1).safe
            if let other = seen[safe] { #expect(other == pair, "\(safe)") }
            seen[safe] = pair
        }
    }
}

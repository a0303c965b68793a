import BridgeCore
import Testing

@Suite("Percent coding") struct PercentCodingTests {
    @Test(arguments: [("git", "git"), ("my%20server", "my server"), ("%C3%a9", "é"), ("a%2Fb", "a/b")])
    func `a name is decoded`(text: String, expected: String) {
        #expect(PercentCoding.decode(text) == expected)
    }

    @Test func `what is encoded is decoded to the same`() {
        let text = "a b/ü%~\u{0}"
        let encoded = PercentCoding.encode(text, keeping: PercentCoding.isPath)
        #expect(encoded == "a%20b/%C3%BC%25~%00")
        #expect(PercentCoding.decode(encoded) == text)
        // A byte that is not ASCII never stands for itself.
        #expect(PercentCoding.encode("é", keeping: { _ in true }) == "%C3%A9")
    }

    @Test(arguments: ["%", "%2", "%zz", "%ff"])
    func `a malformed one is refused`(text: String) {
        #expect(PercentCoding.decode(text) == nil)
    }
}

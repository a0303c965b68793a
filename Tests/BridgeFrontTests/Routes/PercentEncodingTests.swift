import BridgeConfiguration
import Testing

@testable import BridgeFront

@Suite("Percent encoding") struct PercentEncodingTests {
    @Test(arguments: [("git", "git"), ("my%20server", "my server"), ("%C3%a9", "é"), ("a%2Fb", "a/b")])
    func `a name is decoded`(text: String, expected: String) {
        #expect(PercentEncoding.decode(text) == expected)
    }

    @Test(arguments: ["%", "%2", "%zz", "%ff"])
    func `a malformed one is refused`(text: String) {
        #expect(PercentEncoding.decode(text) == nil)
    }
}

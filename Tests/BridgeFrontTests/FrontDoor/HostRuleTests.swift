import Testing

@testable import BridgeFront

@Suite("Host") struct HostRuleTests {
    private static let local = IPAddress("192.168.1.5")

    @Test(arguments: [
        "localhost", "LOCALHOST:8769", "localhost.", "localhost:", "127.0.0.1", "127.0.0.1:80", "127.9.9.9", "[::1]",
        "[::1]:8769", "192.168.1.5:8769", "bridge.example", "Bridge.Example:443", "[::ffff:127.0.0.1]",
    ])
    func `names of this machine are admitted`(host: String) {
        #expect(HostRule.admits(host, local: Self.local, names: ["bridge.example"]))
    }

    @Test(arguments: [
        "", "evil.example", "localhost.evil.example", "evil.localhost", "127.0.0.1.evil.example", "192.168.1.6",
        "0.0.0.0", "[::]", "127.1", "2130706433", "localhost:80:80", "localhost:x", "localhost:123456",
        "user@localhost",
        "[127.0.0.1]", "[::1", "::1", "localhost/", "localhost\u{0}", "bridge.example.evil", "[::1]x",
    ])
    func `everything else is refused`(host: String) {
        #expect(!HostRule.admits(host, local: Self.local, names: ["bridge.example"]))
    }

    @Test func `an address of this machine is only good on the connection that it belongs to`() {
        #expect(!HostRule.admits("192.168.1.5", local: IPAddress("127.0.0.1"), names: []))
    }
}

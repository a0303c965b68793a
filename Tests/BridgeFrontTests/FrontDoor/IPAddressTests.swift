import Testing

@testable import BridgeFront

@Suite("IP addresses") struct IPAddressTests {
    @Test(arguments: ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"])
    func `a loopback address is known as one`(text: String) {
        #expect(IPAddress(text)?.isLoopback == true)
    }

    @Test(arguments: ["128.0.0.1", "10.0.0.1", "::", "::2", "::ffff:10.0.0.1", "fe80::1", "::7f00:1"])
    func `any other address is not`(text: String) {
        #expect(IPAddress(text)?.isLoopback == false)
    }

    @Test(arguments: ["", "127.1", "0x7f000001", "2130706433", "[::1]", "::1%lo", "127.0.0.1 ", "localhost"])
    func `shorthands and names are no addresses`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func `an IPv4 address equals its mapped form`() {
        #expect(IPAddress("10.1.2.3") == IPAddress("::ffff:10.1.2.3"))
        #expect(IPAddress("10.1.2.3") != IPAddress("10.1.2.4"))
    }
}

import Testing

@testable import BridgeFront

@Suite("Blocks of addresses") struct AddressBlockTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.6", false), ("192.0.2.7", "::ffff:192.0.2.7", true), ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "203.0.113.9", true), ("2001:db8::/32", "2001:db8:1::2", true),
        ("2001:db8::/32", "2001:db9::", false), ("2001:db8::/65", "2001:db8::8000:0:0:1", false),
        ("2001:db8::/65", "2001:db8::7000:0:0:1", true), ("192.0.2.128/25", "192.0.2.127", false),
    ])
    func `hold the addresses that begin as they do`(block: String, address: String, isIn: Bool) throws {
        let block = try #require(AddressBlock(block))
        #expect(block.contains(try #require(IPAddress(address))) == isIn)
    }

    @Test(arguments: ["", "/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "x", "10.0.0.0/8/8", "::/129"])
    func `are nothing else`(text: String) { #expect(AddressBlock(text) == nil) }
}

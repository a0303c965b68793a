import NIOCore
import Testing

@testable import BridgeCore

@Suite("RPC ids") struct RPCIDTests {
    private func id(_ text: String) throws -> RPCID? { RPCID(try JSONText(validating: ByteBuffer(string: text))) }

    @Test(arguments: [
        ("1", "1"), ("0", "-0"), (#""a""#, #""\u0061""#), (#""/""#, #""\/""#), (#""\n""#, #""\u000A""#),
        (#""é""#, #""\u00e9""#),
        (#""\"""#, #""\u0022""#), (#""\\u0061""#, #""\u005cu0061""#),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
    ])
    func `are equal when their values are, and keep their spelling`(left: String, right: String) throws {
        let first = try #require(try self.id(left))
        let second = try #require(try self.id(right))
        #expect(first == second)
        #expect(first.hashValue == second.hashValue)
        #expect([first: 1][second] == 1)
        #expect(first.description == left)
        #expect(second.bytes == ByteBuffer(string: right))
        #expect(second.text.description == right)
    }

    @Test(arguments: [
        ("1", "\"1\""), ("1", "2"), ("1", "-1"), (#""a""#, #""A""#), (#""\\u0061""#, #""a""#), (#""""#, #"" ""#),
        ("\"e\u{301}\"", "\"\u{E9}\""),
        ("9007199254740992", "9007199254740993"), ("0", #""-0""#),
    ])
    func `differ when their values do`(left: String, right: String) throws {
        #expect(try self.id(left) != self.id(right))
    }

    @Test(arguments: ["1.0", "1e3", "-0.0", "1E0", "null", "true", "[]", "{}"])
    func `are strings and plain integers only`(text: String) throws {
        #expect(try self.id(text) == nil)
    }

    @Test func `can be made from an integer`() throws {
        #expect(try RPCID(42) == self.id("42"))
        #expect(RPCID(-1).description == "-1")
    }
}

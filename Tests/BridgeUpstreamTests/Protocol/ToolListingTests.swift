import BridgeCore
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Tool listing") struct ToolListingTests {
    private func page(_ json: String) throws -> JSONText { try JSONText(validating: ByteBuffer(string: json)) }

    @Test func `pages are put together in their order, byte for byte`() throws {
        var listing = ToolListing()
        let first = listing.page(
            try self.page(#"{"tools":[{"name":"b", "x":1.0},{"name":"a"}],"nextCursor":"c\u0031"}"#))
        #expect(first == .next(cursor: JSONText(trusting: ByteBuffer(string: #""c\u0031""#))))
        #expect(listing.page(try self.page(#"{"tools":[],"nextCursor":"d"}"#)) == .next(cursor: JSONText("d")))
        #expect(listing.page(try self.page(#"{"nextCursor":null,"tools":[ {"name":"c"} , 5]}"#)) == .complete)
        #expect(String(buffer: listing.tools) == #"{"name":"b", "x":1.0},{"name":"a"},{"name":"c"}"#)
        #expect(listing.count == 3)
        #expect(listing.flaw == nil)
    }

    @Test func `a repeated cursor ends the list with what was read, and says so`() throws {
        var listing = ToolListing()
        _ = listing.page(try self.page(#"{"tools":[{"name":"a"}],"nextCursor":"x"}"#))
        #expect(listing.page(try self.page(#"{"tools":[{"name":"a"}],"nextCursor":"x"}"#)) == .complete)
        #expect(listing.count == 1)
        #expect(listing.flaw != nil)
    }

    @Test func `a list without end is given up`() throws {
        var listing = ToolListing()
        for number in 1..<ToolListing.maximumPages {
            guard case .next = listing.page(try self.page(#"{"tools":[],"nextCursor":"\#(number)"}"#)) else {
                Issue.record("ended at page \(number)")
                return
            }
        }
        guard case .failed = listing.page(try self.page(#"{"tools":[],"nextCursor":"more"}"#)) else {
            Issue.record("went on")
            return
        }
    }

    @Test(arguments: ["{}", #"{"tools":{}}"#, "[]", "5"])
    func `a result that is no list fails`(json: String) throws {
        var listing = ToolListing()
        guard case .failed = listing.page(try self.page(json)) else {
            Issue.record("taken for a list")
            return
        }
    }
}

import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Listing") struct ListingTests {
    private func page(_ json: String) throws -> JSONText { try JSONText(validating: ByteBuffer(string: json)) }

    @Test func `pages are put together in their order, byte for byte`() throws {
        var listing = Listing(of: .tools)
        let first = listing.page(
            try self.page(#"{"tools":[{"name":"b", "x":1.0},{"name":"a"}],"nextCursor":"c\u0031"}"#))
        #expect(first == .next(cursor: JSONText(trusting: ByteBuffer(string: #""c\u0031""#))))
        #expect(listing.page(try self.page(#"{"tools":[],"nextCursor":"d"}"#)) == .next(cursor: JSONText("d")))
        #expect(listing.page(try self.page(#"{"nextCursor":null,"tools":[ {"name":"c"} , 5]}"#)) == .complete)
        #expect(String(buffer: listing.entries) == #"[{"name":"b", "x":1.0},{"name":"a"},{"name":"c"}]"#)
        #expect(listing.count == 3)
        #expect(listing.flaw == nil)
    }

    @Test func `a repeated cursor ends the list with what was read, and says so`() throws {
        var listing = Listing(of: .tools)
        _ = listing.page(try self.page(#"{"tools":[{"name":"a"}],"nextCursor":"x"}"#))
        #expect(listing.page(try self.page(#"{"tools":[{"name":"a"}],"nextCursor":"x"}"#)) == .complete)
        #expect(listing.count == 1)
        #expect(listing.flaw != nil)
    }

    @Test func `a list without end is given up`() throws {
        var listing = Listing(of: .tools)
        for number in 1..<Listing.maximumPages {
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
        var listing = Listing(of: .tools)
        guard case .failed = listing.page(try self.page(json)) else {
            Issue.record("taken for a list")
            return
        }
    }

    @Test func `each offering is found under its own name, and nothing is an empty list`() throws {
        var listing = Listing(of: .templates)
        let result = #"{"tools":[{"name":"a"}],"resourceTemplates":[{"uriTemplate":"x://{y}"}]}"#
        #expect(listing.page(try self.page(result)) == .complete)
        #expect(String(buffer: listing.entries) == #"[{"uriTemplate":"x://{y}"}]"#)
        #expect(String(buffer: Listing(of: .prompts).entries) == "[]")
    }

    @Test func `a notification says what has changed, and what has none of its own changes with its capability`() {
        let served: [Offering] = [.tools, .resources, .templates]
        #expect(Offering.changed(by: "notifications/tools/list_changed", among: served) == [.tools])
        #expect(
            Offering.changed(by: "notifications/resources/list_changed", among: served) == [.resources, .templates])
        #expect(Offering.changed(by: "notifications/prompts/list_changed", among: served) == [])
        #expect(Offering.changed(by: "", among: served) == [])
    }

    @Test func `everything is listed when each list has ended once, well or badly`() throws {
        var lists = Lists([.tools, .prompts])
        lists.begin(.tools)
        let first = try #require(lists.page(try self.page(#"{"tools":[{}],"nextCursor":"x"}"#), of: .tools))
        #expect(first.step == .next(cursor: JSONText("x")))
        let last = try #require(lists.page(try self.page(#"{"tools":[{}]}"#), of: .tools))
        #expect(last.step == .complete && last.listing.count == 2)
        let isStray = lists.page(try self.page(#"{"tools":[{}]}"#), of: .tools) == nil
        #expect(isStray, "nothing is being listed")
        let over = [lists.over(.tools), lists.over(.prompts), lists.over(.tools)]
        #expect(over == [false, true, false], "only the first time")
    }
}

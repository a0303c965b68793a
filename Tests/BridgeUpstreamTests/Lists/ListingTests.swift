import BridgeCore
import BridgeMCP
import BridgeTesting
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Listing") struct ListingTests {
    private func page(_ json: String) throws -> JSONText { try JSONText(validating: ByteBuffer(string: json)) }

    @Test func `pages are put together in their order, byte for byte`() throws {
        var listing = Listing(of: .tools)
        let first = listing.page(
            try self.page(
                #"{"tools":[{"name":"b", "x":1.0,"inputSchema":{"type":"object"}},\#(Self.tool("a"))],"nextCursor":"c\u0031"}"#
            ))
        #expect(first == .next(cursor: JSONText(trusting: ByteBuffer(string: #""c\u0031""#))))
        #expect(listing.page(try self.page(#"{"tools":[],"nextCursor":"d"}"#)) == .next(cursor: JSONText("d")))
        #expect(listing.page(try self.page(#"{"nextCursor":null,"tools":[ \#(Self.tool("c")) , 5]}"#)) == .complete)
        #expect(
            String(buffer: listing.entries)
                == #"[{"name":"b", "x":1.0,"inputSchema":{"type":"object"}},\#(Self.tool("a")),\#(Self.tool("c"))]"#)
        #expect(listing.count == 3)
        #expect(listing.flaw == nil)
        #expect(
            listing.notes == [
                "1 tool is left out, since no client could read them: one without a name (it is not an object)"
            ])
    }

    private static func tool(_ name: String) -> String { #"{"name":"\#(name)","inputSchema":{"type":"object"}}"# }

    /// A page with these tools.
    private func page(_ names: [String], next: String? = nil) throws -> JSONText {
        let cursor = next.map { #","nextCursor":\#($0)"# } ?? ""
        return try self.page(#"{"tools":[\#(names.map(Self.tool).joined(separator: ","))]\#(cursor)}"#)
    }

    private func names(_ listing: Listing) -> [String] {
        let list = JSONText(trusting: listing.entries)
        var names: [String] = []
        list.elements { names.append(list[$0].string("name") ?? "?") }
        return names
    }

    @Test(arguments: [(["a"], ["a"]), (["b"], ["a", "b"]), (["a", "b", "a"], ["a", "b"]), ([], ["a"])])
    func `a repeated cursor ends the list with what that page brings, and says so`(
        last: [String], names: [String]
    ) throws {
        var listing = Listing(of: .tools)
        #expect(listing.page(try self.page(["a"], next: #""x""#)) == .next(cursor: JSONText("x")))
        #expect(listing.page(try self.page(last, next: #""x""#)) == .complete)
        #expect(self.names(listing) == names)
        #expect(listing.notes == ["tools/list repeats a cursor; the list of tools ends there"])
    }

    @Test func `a list without end is shown as far as it was read`() throws {
        var listing = Listing(of: .tools)
        for number in 1..<Listing.maximumPages {
            guard case .next = listing.page(try self.page(["t\(number)"], next: "\(number)")) else {
                Issue.record("ended at page \(number)")
                return
            }
        }
        #expect(listing.page(try self.page(["last"], next: #""more""#)) == .complete)
        #expect(listing.count == Listing.maximumPages)
        #expect(listing.notes.first?.contains("more than 1000 pages, a fixed limit") == true)
    }

    @Test func `a list that is too large is shown as far as there is room`() throws {
        var listing = Listing(of: .tools)
        listing.maximumOctets = 9_000
        let large = String(repeating: "x", count: 3_000)
        for number in 0..<3 {
            let step = listing.page(
                try self.page(
                    #"{"tools":[{"name":"t\#(number)","description":"\#(large)","inputSchema":{"type":"object"}},\#(Self.tool("s\(number)"))],"nextCursor":"\#(number)"}"#
                ))
            #expect((step == .complete) == (number == 2))
        }
        #expect(self.names(listing) == ["t0", "s0", "t1", "s1"])
        #expect(listing.notes.first?.contains("larger than 9000 bytes, a fixed limit") == true)
        #expect(listing.entries.readableBytes <= 9_001)
    }

    @Test func `an error on a further page keeps what was gathered, and what that page had before`() throws {
        var before = Listing(of: .tools)
        #expect(before.page(try self.page(["a", "gone", "b"])) == .complete)
        before.close(after: nil)
        for previous in [before, nil] {
            var listing = Listing(of: .tools)
            _ = listing.page(try self.page(["b", "c"], next: #""x""#))
            #expect(listing.cut("it answered with an error: no") == .complete)
            listing.close(after: previous)
            #expect(self.names(listing) == (previous == nil ? ["b", "c"] : ["b", "c", "a", "gone"]))
            #expect(listing.flaw?.contains("page 2 is missing (it answered with an error: no)") == true)
        }
    }

    @Test func `an error on the first page is a failure`() throws {
        var listing = Listing(of: .tools)
        #expect(listing.cut("no") == .failed("no"))
    }

    @Test func `an empty cursor that is not taken ends the list`() throws {
        var listing = Listing(of: .tools)
        #expect(listing.page(try self.page(["a"], next: #""""#)) == .next(cursor: JSONText("")))
        #expect(listing.cut("no such page") == .complete)
        var before = Listing(of: .tools)
        _ = before.page(try self.page(["old"]))
        listing.close(after: before)
        #expect(self.names(listing) == ["a"], "no page is lost")
        #expect(listing.flaw?.contains("gives an empty cursor") == true)
    }

    @Test(arguments: ["7", "null", "{}", "true", #""""#])
    func `a cursor is a text, a number all the same, and null is none`(cursor: String) throws {
        var listing = Listing(of: .tools)
        let step = listing.page(try self.page(["a"], next: cursor))
        switch cursor {
        case "null": #expect(step == .complete && listing.flaw == nil)
        case "7", #""""#: #expect(step == .next(cursor: JSONText(trusting: ByteBuffer(string: cursor))))
        default: #expect(step == .complete && listing.flaw != nil)
        }
    }

    @Test func `null in the place of a list is an empty one`() throws {
        var listing = Listing(of: .tools)
        #expect(listing.page(try self.page(#"{"tools":null}"#)) == .complete)
        #expect(listing.count == 0)
    }

    @Test func `pages that end in any way lose nothing that was there`() throws {
        var random = SeededRandom(seed: 6)
        for _ in 0..<500 {
            var listing = Listing(of: .tools)
            var wanted: [String] = []
            var cursors: [String] = []
            var isOver = false
            while !isOver {
                let names = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                    "t\(Int.random(in: 0...20, using: &random))"
                }
                for name in names where !wanted.contains(name) { wanted.append(name) }
                let next = ["\(cursors.count + 1)", #""c\#(cursors.count)""#, #""""#, "null", "[]"].randomElement(
                    using: &random)
                let cursor = Bool.random(using: &random) ? cursors.randomElement(using: &random) ?? next : next
                let step = listing.page(try self.page(names, next: cursor))
                if case .next = step, let cursor {
                    cursors.append(cursor)
                    if Int.random(in: 0..<4, using: &random) == 0 { isOver = listing.cut("lost") == .complete }
                } else {
                    isOver = step == .complete
                    #expect(isOver)
                }
            }
            listing.close(after: nil)
            #expect(self.names(listing) == wanted)
        }
    }

    @Test func `what clients cannot read is mended or left out, and told shortly`() throws {
        var listing = Listing(of: .tools)
        let tools = [
            "5", #"{"name":"a"}"#, #"{"name":"b","inputSchema":[]}"#, Self.tool("c d"), Self.tool("e"), Self.tool("e"),
        ]
        #expect(listing.page(try self.page(#"{"tools":[\#(tools.joined(separator: ","))]}"#)) == .complete)
        #expect(self.names(listing) == ["a", "c d", "e"])
        #expect(
            listing.notes == [
                "2 tools are left out, since no client could read them: one without a name (it is not an object), "
                    + "'b' (inputSchema is not an object)",
                "1 tool is shown mended: 'a' (inputSchema is missing)",
                "1 tool is listed more than once, and shown once: 'e'",
                "1 tool is named as not every client takes it, and shown with a hash where names are safe: 'c d'",
            ])
        var many = Listing(of: .tools)
        let bad = (0..<10_000).map { #"{"name":"n\#($0)","description":\#($0)}"# }.joined(separator: ",")
        #expect(many.page(try self.page(#"{"tools":[\#(bad)]}"#)) == .complete)
        #expect(many.notes.count == 1 && many.notes[0].contains("10000 tools are left out"))
        #expect(many.notes[0].count < 400 && many.notes[0].hasSuffix("and 9995 more"))
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
        let result = #"{"tools":[{"name":"a"}],"resourceTemplates":[{"uriTemplate":"x://{y}","name":"x"}]}"#
        #expect(listing.page(try self.page(result)) == .complete)
        #expect(String(buffer: listing.entries) == #"[{"uriTemplate":"x://{y}","name":"x"}]"#)
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
        let first = try #require(
            lists.page(try self.page(#"{"tools":[\#(Self.tool("a"))],"nextCursor":"x"}"#), of: .tools))
        #expect(first.step == .next(cursor: JSONText("x")))
        let last = try #require(lists.page(try self.page(#"{"tools":[\#(Self.tool("b"))]}"#), of: .tools))
        #expect(last.step == .complete && last.listing.count == 2)
        let isStray = lists.page(try self.page(#"{"tools":[{}]}"#), of: .tools) == nil
        #expect(isStray, "nothing is being listed")
        let over = [lists.over(.tools), lists.over(.prompts), lists.over(.tools)]
        #expect(over == [false, true, false], "only the first time")
    }
}

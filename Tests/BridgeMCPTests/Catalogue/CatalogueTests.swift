import NIOCore
import Testing

@testable import BridgeCore
@testable import BridgeMCP

@Suite("The catalogue") struct CatalogueTests {
    private func entries(_ texts: String...) throws -> [JSONText] {
        try texts.map { try JSONText(validating: ByteBuffer(string: $0)) }
    }

    private func source(_ name: String, _ entries: [JSONText], filter: NameFilter = NameFilter()) -> Catalogue.Source {
        Catalogue.Source(name: name, prefix: name, filter: filter, entries: entries)
    }

    @Test func `has a section for each offering that is served, and an empty one for any other`() throws {
        var catalogue = Catalogue(of: [.tools, .prompts])
        let entries = try self.entries(#"{"name":"x"}"#)
        for offering in [Offering.tools, .prompts, .resources] {
            catalogue.replace(with: Catalogue.Section(of: offering, sources: [self.source("s", entries)]))
        }
        #expect(catalogue.entry("s.x", of: .tools)?.ownName == "x")
        #expect(catalogue.entry("s.x", of: .prompts)?.ownName == "x")
        #expect(catalogue.entry("s.x", of: .resources) == nil)
        #expect(String(buffer: catalogue[.resources].dotList) == "[]")
        #expect(catalogue.sections.map(\.offering) == [.tools, .prompts])
    }

    @Test func `leaves resources as they are, by their URIs, and shows those that the filter admits`() throws {
        let first = try self.entries(#"{"name":"n", "uri":"b:/é"}"#, #"{"uri":"a:x"}"#, #"{"uri":"secret:1"}"#)
        let second = try self.entries(#"{"uri":"a:x","name":"later"}"#, #"{"name":"without"}"#)
        let section = Catalogue.Section(
            of: .resources,
            sources: [
                self.source("one", first, filter: NameFilter(deny: ["secret:*"], rename: ["a:x": "never"])),
                self.source("two", second),
            ]
        )
        #expect(String(buffer: section.dotList) == #"[{"uri":"a:x"},{"name":"n", "uri":"b:/é"}]"#)
        #expect(section.safeList == section.dotList)
        #expect(section["a:x"]?.upstream == 0)
        #expect(section["one.a:x"] == nil && section["secret:1"] == nil)
        #expect(section.collisions == [.init(name: "a:x", offering: .resources, kept: "one", refused: "two")])
    }

    @Test func `answers a list under its offering's own name, whole or in pages`() throws {
        let entries = try self.entries(#"{"uriTemplate":"a:{x}"}"#, #"{"uriTemplate":"b:{x}"}"#)
        let section = Catalogue.Section(of: .templates, sources: [self.source("s", entries)])
        let id = ByteBuffer(string: "7")
        let whole = try section.reply(to: id, cursor: nil, size: nil, safe: true)
        #expect(
            String(buffer: whole)
                == #"{"jsonrpc":"2.0","id":7,"result":{"resourceTemplates":[{"uriTemplate":"a:{x}"},{"uriTemplate":"b:{x}"}]}}"#
        )
        let first = try section.reply(to: id, cursor: .null, size: 1, safe: false)
        #expect(
            String(buffer: first)
                == #"{"jsonrpc":"2.0","id":7,"result":{"resourceTemplates":[{"uriTemplate":"a:{x}"}],"nextCursor":"after:a:{x}"}}"#
        )
        let last = try section.reply(to: id, cursor: JSONText("after:a:{x}"), size: 1, safe: false)
        #expect(
            String(buffer: last)
                == #"{"jsonrpc":"2.0","id":7,"result":{"resourceTemplates":[{"uriTemplate":"b:{x}"}]}}"#
        )
    }

    @Test(arguments: ["p0", "p-1", "p3", "x", "", "p99999999999999999999"])
    func `knows no cursor that it did not give`(cursor: String) throws {
        let section = Catalogue.Section(of: .tools, sources: [self.source("s", try self.entries(#"{"name":"x"}"#))])
        for (text, size) in [(JSONText(cursor), 1), (JSONText(cursor), nil), (JSONText(1), 1), (JSONText("p1"), nil)] {
            #expect(throws: Catalogue.Section.UnknownCursor()) {
                try section.reply(to: ByteBuffer(string: "1"), cursor: text, size: size, safe: false)
            }
        }
    }
}

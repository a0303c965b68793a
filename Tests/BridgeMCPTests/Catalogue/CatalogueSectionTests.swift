import NIOCore
import Testing

@testable import BridgeCore
@testable import BridgeMCP

@Suite("A section of the catalogue") struct CatalogueSectionTests {
    private func tool(_ text: String) throws -> JSONText { try JSONText(validating: ByteBuffer(string: text)) }

    private static func section(_ sources: [Catalogue.Source]) -> Catalogue.Section {
        Catalogue.Section(of: .tools, sources: sources)
    }

    private func source(
        _ name: String, _ tools: [String]?, prefix: String? = nil, filter: NameFilter = NameFilter()
    ) throws -> Catalogue.Source {
        Catalogue.Source(
            name: name, prefix: prefix ?? name, filter: filter,
            entries: try tools?.map { try self.tool(#"{"name":"\#($0)"}"#) }
        )
    }

    /// The names in a list, as a client reads them.
    private func names(_ list: ByteBuffer) throws -> [String] {
        let text = try JSONText(validating: list)
        var names: [String] = []
        text.elements { names.append(text[$0].string("name") ?? "?") }
        return names
    }

    @Test func `lists every tool under both spellings, sorted by what it shows`() throws {
        let catalogue = Self.section(
            [try self.source("zeta", ["b", "a"]), try self.source("alpha", ["z", "y"])])
        #expect(try self.names(catalogue.dotList) == ["alpha.y", "alpha.z", "zeta.a", "zeta.b"])
        #expect(try self.names(catalogue.safeList) == ["alpha__y", "alpha__z", "zeta__a", "zeta__b"])
        #expect(catalogue["zeta.b"]?.ownName == "b")
        #expect(catalogue["zeta__b"]?.upstream == 0)
        #expect(catalogue["alpha__z"]?.upstream == 1)
        #expect(catalogue["b"] == nil)
        #expect(catalogue["zeta.c"] == nil)
        #expect(catalogue[""] == nil)
    }

    @Test func `sorts each spelling by itself`() throws {
        // "." comes before "_" and "-": the two orders differ.
        let catalogue = Self.section(
            [try self.source("a", ["x"]), try self.source("a-b", ["x"]), try self.source("aa", ["x"])])
        #expect(try self.names(catalogue.dotList) == ["a-b.x", "a.x", "aa.x"])
        #expect(try self.names(catalogue.safeList) == ["a-b__x", "a__x", "aa__x"])
        let safe = try self.names(catalogue.safeList)
        #expect(safe == safe.sorted())
    }

    @Test func `is an empty array without tools`() throws {
        for catalogue in [Self.section([]), Self.section([try self.source("a", nil)])] {
            #expect(String(buffer: catalogue.dotList) == "[]")
            #expect(String(buffer: catalogue.safeList) == "[]")
            #expect(catalogue.entries.isEmpty)
        }
    }

    @Test func `leaves every byte of a tool but its name`() throws {
        let text =
            #"{ "title":"\u0041", "inputSchema" : {"name":"inner","type":"object"}, "name" : "t" , "x":1.0e+2,"x":[ ]}"#
        let catalogue = Self.section(
            [.init(name: "s", prefix: "s", filter: NameFilter(), entries: [try self.tool(text)])])
        let shown = text.replacing(#""name" : "t""#, with: #""name" : "s.t""#)
        #expect(String(buffer: catalogue.dotList) == "[" + shown + "]")
        #expect(String(buffer: catalogue.safeList) == "[" + shown.replacing("s.t", with: "s__t") + "]")
    }

    @Test func `sends the upstream the name that it gave, spelled as it spelled it`() throws {
        let catalogue = Self.section(
            [
                .init(name: "s", prefix: "s", filter: NameFilter(), entries: [try self.tool(#"{"name":"\u0074\/x"}"#)])
            ])
        let tool = try #require(catalogue["s.t/x"])
        #expect(tool.ownName == "t/x")
        #expect(tool.ownNameJSON.description == #""\u0074\/x""#)
        #expect(try self.names(catalogue.dotList) == ["s.t/x"])
    }

    @Test func `renames no tool when another upstream comes or goes`() throws {
        let tools = ["a", "a.b", "b__c", "_x", String(repeating: "l", count: 70), "é"]
        let alone = Self.section(
            [try self.source("one", tools)])
        var others: [Catalogue.Source] = []
        for name in ["one__b", "one_", "one.a", "on", "zzz"] { others.append(try self.source(name, tools)) }
        others.insert(try self.source("one", tools), at: 2)
        let among = Self.section(
            others)
        let mine = among.entries.filter { $0.upstream == 2 }
        for tool in alone.entries {
            #expect(mine.contains { $0.name == tool.name } || among.collisions.contains { $0.name == tool.name.dot })
        }
        #expect(mine.count >= tools.count - 1)
    }

    @Test func `gives a name that two want to the first in the configuration, and says so`() throws {
        let catalogue = Self.section(
            [
                try self.source("first", ["same", "own"], prefix: ""), try self.source("second", ["same"], prefix: ""),
            ])
        #expect(try self.names(catalogue.dotList) == ["own", "same"])
        #expect(catalogue["same"]?.upstream == 0)
        #expect(catalogue.collisions == [.init(name: "same", offering: .tools, kept: "first", refused: "second")])
    }

    @Test func `lets no tool take another's safe spelling`() throws {
        let catalogue = Self.section(
            [try self.source("a", ["b"]), try self.source("sly", ["a__b", "a.b"], prefix: "")])
        #expect(catalogue["a__b"]?.ownName == "b")
        #expect(catalogue["a.b"]?.upstream == 0)
        for name in try self.names(catalogue.safeList) + self.names(catalogue.dotList) {
            #expect(catalogue[name] != nil)
        }
        #expect(!catalogue.collisions.isEmpty)
    }

    @Test func `shows a tool once that its upstream lists twice`() throws {
        let catalogue = Self.section(
            [try self.source("a", ["t", "t"])])
        #expect(try self.names(catalogue.dotList) == ["a.t"])
        #expect(catalogue.collisions == [.init(name: "a.t", offering: .tools, kept: "a", refused: "a")])
    }

    @Test func `leaves names as they are under an empty prefix`() throws {
        let catalogue = Self.section(
            [try self.source("a", ["t.u", "v"], prefix: "")])
        #expect(try self.names(catalogue.dotList) == ["t.u", "v"])
        #expect(catalogue["v"]?.ownName == "v")
    }

    @Test func `shows what the filter admits, under the names it gives`() throws {
        let filter = NameFilter(allow: ["get_*", "put"], deny: ["get_secret"], rename: ["put": "store"])
        let catalogue = Self.section(
            [try self.source("s", ["get_a", "get_secret", "put", "delete"], filter: filter)])
        #expect(try self.names(catalogue.dotList) == ["s.get_a", "s.store"])
        #expect(catalogue["s.store"]?.ownName == "put")
        #expect(catalogue["s.put"] == nil)
        #expect(catalogue["s.get_secret"] == nil)
        #expect(catalogue["s__get_secret"] == nil)
    }

    @Test(arguments: [
        "{}", #"{"name":1}"#, #"{"name":""}"#, #"{"name":null}"#, "[]", "1", #""name""#,
        #"{"name":"a","name":"github.push"}"#, #"{"name":"a","n\u0061me":"github.push"}"#,
    ])
    func `leaves out a tool without one name of its own`(text: String) throws {
        let catalogue = Self.section(
            [
                .init(
                    name: "s", prefix: "s", filter: NameFilter(),
                    entries: [try self.tool(text), try self.tool(#"{"name":"ok"}"#)])
            ])
        #expect(try self.names(catalogue.dotList) == ["s.ok"])
    }

    @Test(arguments: [
        (#"{"name":"t"}"#, false), (#"{"name":"t","annotations":{"readOnlyHint":true}}"#, true),
        (#"{"name":"t","annotations":{"idempotentHint":true}}"#, true),
        (#"{"name":"t","annotations":{"readOnlyHint":false,"idempotentHint":false}}"#, false),
        (#"{"name":"t","annotations":{"readOnlyHint":"true"}}"#, false), (#"{"name":"t","annotations":[true]}"#, false),
    ])
    func `reads the hint that calling twice does no harm`(text: String, expected: Bool) throws {
        let catalogue = Self.section(
            [.init(name: "s", prefix: "s", filter: NameFilter(), entries: [try self.tool(text)])])
        #expect(catalogue["s.t"]?.hintsRepeatable == expected)
    }

    @Test func `holds 10,000 tools, whole and in pages`() throws {
        let sources = try (0..<10).map { server in
            try self.source("server\(server)", (0..<1_000).map { "tool\($0)" })
        }
        let catalogue = Self.section(
            sources)
        #expect(catalogue.entries.count == 10_000)
        let names = try self.names(catalogue.dotList)
        #expect(names.count == 10_000)
        #expect(names == names.sorted())
        for safe in [true, false] {
            var paged: [String] = []
            for start in stride(from: 0, to: 10_000, by: 3_000) {
                paged += try self.names(catalogue.part(start..<start + 3_000, safe: safe))
            }
            #expect(paged == (try self.names(safe ? catalogue.safeList : catalogue.dotList)))
        }
        for name in names { #expect(catalogue[name] != nil) }
        #expect(String(buffer: catalogue.part(10_000..<10_010, safe: false)) == "[]")
    }
}

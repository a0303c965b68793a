import NIOCore
import Testing

@testable import BridgeCore
@testable import BridgeMCP

@Suite("The file of lists") struct CatalogueCacheTests {
    private func tool(_ text: String) throws -> JSONText { try JSONText(validating: ByteBuffer(string: text)) }

    private func cache(
        _ tools: [String: [JSONText]], of offerings: [Offering] = [.tools], program: String = ""
    ) -> CatalogueCache {
        var cache = CatalogueCache(of: offerings)
        for (upstream, list) in tools { cache.keep(list, of: .tools, by: upstream, program: program) }
        return cache
    }

    private func parsed(_ text: String, of offerings: [Offering] = [.tools]) -> CatalogueCache {
        CatalogueCache(parsing: ByteBuffer(string: text), of: offerings)
    }

    private func names(_ entries: [JSONText]?) -> [String]? { entries?.map { $0.string("name") ?? "?" } }

    @Test func `has the shape that mcp-bridge for Node wrote: two spaces, a newline at the end`() throws {
        let cache = self.cache([
            "b": [try self.tool(#"{"name":"t","inputSchema":{"type":"object","required":[],"properties":{}}}"#)],
            "a": [try self.tool(#"{"name":"u","n":[1.0,"x"]}"#), try self.tool(#"{"name":"v"}"#)],
            "none": [],
        ])
        #expect(
            String(buffer: cache.serialized(updatedAt: "2025-11-20T10:00:00.000Z")) == """
                {
                  "updatedAt": "2025-11-20T10:00:00.000Z",
                  "toolsByUpstream": {
                    "a": [
                      {
                        "name": "u",
                        "n": [
                          1.0,
                          "x"
                        ]
                      },
                      {
                        "name": "v"
                      }
                    ],
                    "b": [
                      {
                        "name": "t",
                        "inputSchema": {
                          "type": "object",
                          "required": [],
                          "properties": {}
                        }
                      }
                    ]
                  }
                }

                """
        )
    }

    @Test func `is written the same again after it was read`() throws {
        let cache = self.cache([
            #"we"ird\name"#: [try self.tool(#"{"name":"t\u00e9","x":-0.0e1,"d":{"d":{"d":[[],{},[{}]]}}}"#)],
            "s": [try self.tool("[]"), try self.tool("null")],
        ])
        let file = cache.serialized(updatedAt: "now")
        let read = CatalogueCache(parsing: file, of: [.tools])
        #expect(read.serialized(updatedAt: "now") == file)
        #expect(self.names(read.entries(of: .tools, by: #"we"ird\name"#, program: "")) == ["té"])
    }

    @Test func `what is proposed to a server is kept with its program, tools or not`() throws {
        var cache = CatalogueCache(of: [.tools])
        let proposal = RevisionProposal(.v2025_06_18, expires: 1_800_000_000)
        cache.keep(proposal, to: "s", program: "p")
        cache.keep(nil as RevisionProposal?, to: "t", program: "q")
        let file = cache.serialized(updatedAt: "now")
        let read = CatalogueCache(parsing: file, of: [.tools])
        #expect(read.proposal(to: "s", program: "p") == proposal)
        #expect(read.proposal(to: "s", program: "q") == nil && read.proposal(to: "t", program: "q") == nil)
        #expect(read.serialized(updatedAt: "now") == file)
        #expect(proposal.remaining(now: 1_800_000_000 - 60) == 60)
        #expect(proposal.remaining(now: 1_800_000_000) == nil, "it is over")
        #expect(proposal.remaining(now: 1_700_000_000) == nil, "no clock can have said that")
        for odd in [
            "5", #"{"propose":"1999-01-01","until":9}"#, #"{"propose":"2025-06-18"}"#,
            #"{"propose":"2025-06-18","until":-1}"#,
        ] {
            let cache = self.parsed(
                #"{"toolsByUpstream":{},"programsByUpstream":{"s":"p"},"revisionsByUpstream":{"s":\#(odd)}}"#)
            #expect(cache.proposal(to: "s", program: "p") == nil, "\(odd)")
        }
    }

    @Test func `by which transport a server speaks is kept with its address, tools or not`() {
        var cache = CatalogueCache(of: [.tools])
        cache.keep(transport: "sse", of: "s", program: "p")
        cache.keep(transport: nil, of: "t", program: "q")
        let file = cache.serialized(updatedAt: "now")
        let read = CatalogueCache(parsing: file, of: [.tools])
        #expect(read.transport(of: "s", program: "p") == "sse")
        #expect(read.transport(of: "s", program: "q") == nil && read.transport(of: "t", program: "q") == nil)
        #expect(read.serialized(updatedAt: "now") == file)
        #expect(
            self.parsed(#"{"programsByUpstream":{"s":"p"},"transportsByUpstream":{"s":5}}"#)
                .transport(of: "s", program: "p") == nil)
    }

    @Test func `entries that clients cannot read are mended or left out when they are taken from it`() {
        let cache = self.parsed(#"{"toolsByUpstream":{"s":[{"name":"t"},{"name":"u","inputSchema":5},7]}}"#)
        let entries = cache.checkedEntries(of: .tools, by: "s", program: "any")
        #expect(entries?.map(\.description) == [#"{"name":"t","inputSchema":{"type":"object"}}"#])
        #expect(cache.checkedEntries(of: .tools, by: "t", program: "any") == nil)
    }

    @Test func `reads what mcp-bridge for Node wrote, members of later versions too`() {
        let cache = self.parsed(#"{"updatedAt":"x","prompts":{},"toolsByUpstream":{"s":[{"name":"t"}]}}"#)
        let entries = cache.entries(of: .tools, by: "s", program: "any")
        #expect(entries?.map(\.description) == [#"{"name":"t"}"#])
    }

    @Test func `of no upstreams is still a whole file`() {
        for offerings in [[Offering.tools], Offering.all] {
            #expect(
                String(buffer: CatalogueCache(of: offerings).serialized(updatedAt: "t"))
                    == "{\n  \"updatedAt\": \"t\",\n  \"toolsByUpstream\": {}\n}\n"
            )
        }
    }

    @Test(arguments: [
        "", "{", "null", "[]", #"{"toolsByUpstream":[]}"#, #"{"toolsByUpstream":{"s":[{"name":"t"}]}"#, "\u{0}",
        #"{"tools":{"s":[{"name":"t"}]}}"#, "not json at all", "\u{FEFF}{}",
    ])
    func `that cannot be read is an empty one`(text: String) {
        #expect(self.parsed(text).entries(of: .tools, by: "s", program: "") == nil)
    }

    @Test func `passes over a list that is none`() {
        let cache = self.parsed(#"{"toolsByUpstream":{"s":5,"t":[{"name":"u"}]}}"#)
        #expect(cache.entries(of: .tools, by: "s", program: "")?.isEmpty != false)
        #expect(cache.entries(of: .tools, by: "t", program: "")?.count == 1)
    }

    @Test func `keeps each offering under a key of its own, those that nobody has left out`() throws {
        var cache = self.cache(["s": [try self.tool(#"{"name":"t"}"#)]], of: Offering.all, program: "p")
        cache.keep([try self.tool(#"{"uri":"x:"}"#)], of: .resources, by: "other", program: "q")
        cache.keep([], of: .prompts, by: "other", program: "q")
        cache.keep(nil, of: .templates, by: "s", program: "p")
        let file = try JSONText(validating: cache.serialized(updatedAt: "t"))
        var keys: [String] = []
        file.members { key, _ in keys.append(key.string) }
        #expect(keys == ["updatedAt", "toolsByUpstream", "resourcesByUpstream", "programsByUpstream"])
        let read = CatalogueCache(parsing: file.bytes, of: Offering.all)
        #expect(read.entries(of: .resources, by: "other", program: "q")?.first?.string("uri") == "x:")
        #expect(read.entries(of: .resources, by: "other", program: "another") == nil)
        #expect(self.names(read.entries(of: .tools, by: "s", program: "p")) == ["t"])
        #expect(read.entries(of: .tools, by: "other", program: "q") == nil)
        #expect(read.serialized(updatedAt: "t") == cache.serialized(updatedAt: "t"))
    }
}

import BridgeCore
import NIOCore
import Testing

@testable import BridgeMCP

@Suite("The file of lists, read without a configuration") struct CatalogueDisplayTests {
    private func entry(_ name: String) throws -> JSONText {
        try JSONText(validating: ByteBuffer(string: #"{"name":"\#(name)","inputSchema":{"type":"object"}}"#))
    }

    private func names(_ cache: CatalogueCache) -> [String] { cache.catalogue()[.tools].entries.map(\.name.dot) }

    private func written(_ display: CatalogueDisplay?) throws -> CatalogueCache {
        var cache = CatalogueCache(of: [.tools, .prompts])
        cache.keep([try self.entry("read"), try self.entry("write")], of: .tools, by: "files", program: "p")
        cache.keep([try self.entry("now")], of: .tools, by: "time", program: "q")
        cache.display = display
        return CatalogueCache(parsing: cache.serialized(updatedAt: "now"), of: [.tools, .prompts])
    }

    private static let display = CatalogueDisplay(
        separator: "/", safeNames: nil, safeNamesFor: ["Claude"],
        servers: [
            .init(name: "time", prefix: "clock"),
            .init(
                name: "files", prefix: "",
                tools: NameFilter(allow: ["*"], deny: ["write"], rename: ["read": "get"]),
                resources: NameFilter(deny: ["file:///secret/*"])),
        ]
    )

    @Test func `names are the ones that the bridge showed, and what it kept back stays back`() throws {
        let cache = try self.written(Self.display)
        #expect(cache.display == Self.display)
        #expect(self.names(cache) == ["clock/now", "get"])
    }

    @Test func `a server that is not configured any more is not shown`() throws {
        var display = Self.display
        display.servers.removeFirst()
        #expect(self.names(try self.written(display)) == ["get"])
    }

    @Test func `a file of mcp-bridge for Node shows everything under its own name`() throws {
        #expect(self.names(try self.written(nil)) == ["now", "read", "write"])
    }

    @Test(
        arguments: [
            (true, "x", true), (false, "claude", false), (nil, "claude", true), (nil, "x", false),
            (nil, "Claude (via mcp-remote 0.1.36)", true), (nil, "x (via mcp-remote 0.1.36)", false),
        ] as [(Bool?, String, Bool)])
    func `the spelling is the one that the client would have seen`(rule: Bool?, client: String, isSafe: Bool) throws {
        var display = Self.display
        display.safeNames = rule
        #expect(try self.written(display).display?.showsSafeNames(to: client) == isSafe)
    }

    @Test(arguments: [#"{"shown": 1}"#, #"{"shown": {"separator": "."}}"#, #"{"shown": {"servers": []}}"#])
    func `what says too little counts as nothing`(text: String) {
        #expect(CatalogueCache(parsing: ByteBuffer(string: text), of: [.tools]).display == nil)
    }
}

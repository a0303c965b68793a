import NIOCore
import Testing

@testable import BridgeCore
@testable import BridgeMCP

@Suite("Tool cache file") struct ToolsCacheTests {
    private func tool(_ text: String) throws -> JSONText { try JSONText(validating: ByteBuffer(string: text)) }

    @Test func `has the shape that the older gateway wrote: two spaces, a newline at the end`() throws {
        let cache = ToolsCache(toolsByUpstream: [
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
        let cache = ToolsCache(toolsByUpstream: [
            #"we"ird\name"#: [try self.tool(#"{"name":"t\u00e9","x":-0.0e1,"d":{"d":{"d":[[],{},[{}]]}}}"#)],
            "s": [try self.tool("[]"), try self.tool("null")],
        ])
        let file = cache.serialized(updatedAt: "now")
        #expect(ToolsCache(parsing: file).serialized(updatedAt: "now") == file)
        #expect(ToolsCache(parsing: file).toolsByUpstream[#"we"ird\name"#]?.first?.string("name") == "té")
    }

    @Test func `reads what the older gateway wrote, members of later versions too`() {
        let cache = ToolsCache(
            parsing: ByteBuffer(string: #"{"updatedAt":"x","prompts":{},"toolsByUpstream":{"s":[{"name":"t"}]}}"#)
        )
        #expect(cache.toolsByUpstream["s"]?.map(\.description) == [#"{"name":"t"}"#])
    }

    @Test func `of no upstreams is still a whole file`() {
        #expect(
            String(buffer: ToolsCache().serialized(updatedAt: "t"))
                == "{\n  \"updatedAt\": \"t\",\n  \"toolsByUpstream\": {}\n}\n"
        )
    }

    @Test(arguments: [
        "", "{", "null", "[]", #"{"toolsByUpstream":[]}"#, #"{"toolsByUpstream":{"s":[{"name":"t"}]}"#, "\u{0}",
        #"{"tools":{"s":[{"name":"t"}]}}"#, "not json at all", "\u{FEFF}{}",
    ])
    func `that cannot be read is an empty one`(text: String) {
        #expect(ToolsCache(parsing: ByteBuffer(string: text)).toolsByUpstream.isEmpty)
    }

    @Test func `passes over a list that is none`() {
        let cache = ToolsCache(parsing: ByteBuffer(string: #"{"toolsByUpstream":{"s":5,"t":[{"name":"u"}]}}"#))
        #expect(cache.toolsByUpstream["s"]?.isEmpty != false)
        #expect(cache.toolsByUpstream["t"]?.count == 1)
    }
}

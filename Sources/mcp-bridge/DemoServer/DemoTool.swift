import BridgeCore
import BridgeMCP

/// The tools of the demo server, as lists describe them.
enum DemoTool: String, CaseIterable {
    case add, clock, echo, fail, log, sleep

    /// The result of `initialize`.
    static func introduction(for revision: ProtocolRevision) -> JSONText {
        JSONWriter.object { result in
            result.member("protocolVersion", revision.name)
            result.member("capabilities", JSONText(literal: #"{"logging":{},"tools":{}}"#))
            result.memberObject("serverInfo") { info in
                info.member("name", "mcp-bridge-demo")
                if revision >= .v2025_06_18 { info.member("title", "mcp-bridge demo server") }
                info.member("version", "1.0.0")
            }
            result.member(
                "instructions", "Small tools for trying out an MCP client or a bridge. None of them changes anything.")
        }
    }

    /// The result of `tools/list`.
    static func list(for revision: ProtocolRevision) -> JSONText {
        JSONWriter.object { result in
            result.memberArray("tools") { tools in
                for tool in Self.allCases { tools.object { tool.describe(in: &$0, for: revision) } }
            }
        }
    }

    private func describe(in writer: inout JSONWriter, for revision: ProtocolRevision) {
        writer.member("name", self.rawValue)
        if revision >= .v2025_06_18 { writer.member("title", self.title) }
        writer.member("description", self.description)
        writer.member("inputSchema", self.inputSchema)
        if revision >= .v2025_06_18 { writer.member("outputSchema", ifPresent: self.outputSchema) }
        guard revision >= .v2025_03_26 else { return }
        writer.memberObject("annotations") { annotations in
            annotations.member("title", self.title)
            annotations.member("readOnlyHint", true)
            annotations.member("idempotentHint", self != .clock)
            annotations.member("openWorldHint", false)
        }
    }

    private var title: String {
        switch self {
        case .add: "Add two numbers"
        case .clock: "Tell the time"
        case .echo: "Echo a text"
        case .fail: "Fail"
        case .log: "Write a log message"
        case .sleep: "Sleep"
        }
    }

    private var description: String {
        switch self {
        case .add: "Adds two numbers. Integers are added exactly."
        case .clock: "Tells the current date and time in ISO 8601, in UTC or at an offset from it."
        case .echo: "Returns the text it is given."
        case .fail: "Fails with the message it is given, to show what a failing tool looks like."
        case .log: "Sends a log message to the client, if it is at or above the level that the client has set."
        case .sleep:
            "Waits for some seconds, reporting progress at even steps to a client that asks for it. Can be cancelled."
        }
    }

    /// The names of the arguments that ``inputSchema`` describes.
    var arguments: [String] {
        switch self {
        case .add: ["a", "b"]
        case .clock: ["timezone"]
        case .echo: ["text"]
        case .fail: ["message"]
        case .log: ["level", "message"]
        case .sleep: ["seconds", "steps"]
        }
    }

    private var inputSchema: JSONText {
        switch self {
        case .add:
            JSONText(
                literal: """
                    {"type":"object","properties":{"a":{"type":"number","description":"The first number."},\
                    "b":{"type":"number","description":"The second number."}},\
                    "required":["a","b"],"additionalProperties":false}
                    """)
        case .clock:
            JSONText(
                literal: """
                    {"type":"object","properties":{"timezone":{"type":"string","default":"UTC",\
                    "pattern":"^(UTC|Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",\
                    "description":"UTC, or an offset such as +02:00."}},\
                    "additionalProperties":false}
                    """)
        case .echo:
            JSONText(
                literal: """
                    {"type":"object","properties":{"text":{"type":"string","description":"What to return."}},\
                    "required":["text"],"additionalProperties":false}
                    """)
        case .fail:
            JSONText(
                literal: """
                    {"type":"object","properties":{"message":{"type":"string","description":"What to fail with."}},\
                    "additionalProperties":false}
                    """)
        case .log:
            JSONText(
                literal: """
                    {"type":"object","properties":{"level":{"type":"string",\
                    "enum":["debug","info","notice","warning","error","critical","alert","emergency"],\
                    "description":"How severe it is."},"message":{"type":"string","description":"What to log."}},\
                    "required":["level","message"],"additionalProperties":false}
                    """)
        case .sleep:
            JSONText(
                literal: """
                    {"type":"object","properties":{"seconds":{"type":"number","minimum":0,"maximum":60,\
                    "description":"How long to wait."},"steps":{"type":"integer","minimum":1,"maximum":100,"default":4,\
                    "description":"How often to report progress."}},"required":["seconds"],"additionalProperties":false}
                    """)
        }
    }

    private var outputSchema: JSONText? {
        guard self == .add else { return nil }
        return JSONText(
            literal:
                #"{"type":"object","properties":{"sum":{"type":"number","description":"a + b"}},"required":["sum"]}"#)
    }
}

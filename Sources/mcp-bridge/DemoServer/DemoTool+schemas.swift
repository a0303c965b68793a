import BridgeCore

// What the tools of the demo server take and give.

extension DemoTool {
    /// The names of the arguments that ``inputSchema`` describes.
    var arguments: [String] {
        switch self {
        case .add: ["a", "b"]
        case .clock: ["timezone"]
        case .echo: ["text"]
        case .fail: ["message"]
        case .log: ["level", "message"]
        case .sleep: ["seconds", "steps"]
        case .askModel: ["prompt", "tools"]
        case .askPerson: ["shape"]
        case .askPage, .askRoots, .askTwice, .extra, .needPage: []
        case .change: ["list"]
        case .content: ["kind"]
        case .touch: ["uri"]
        }
    }

    var inputSchema: JSONText {
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
        case .askModel:
            JSONText(
                literal: """
                    {"type":"object","properties":{"prompt":{"type":"string","description":"What to ask."},\
                    "tools":{"type":"boolean","default":false,"description":"Whether the model is given a tool."}},\
                    "required":["prompt"],"additionalProperties":false}
                    """)
        case .askPerson:
            JSONText(
                literal: """
                    {"type":"object","properties":{"shape":{"type":"string","default":"text",\
                    "enum":["text","number","integer","boolean","choice","titled","several","titledSeveral","defaults",\
                    "all"],"description":"What the form asks for."}},"additionalProperties":false}
                    """)
        case .askPage, .askRoots, .askTwice, .extra, .needPage:
            JSONText(literal: #"{"type":"object","additionalProperties":false}"#)
        case .change:
            JSONText(
                literal: """
                    {"type":"object","properties":{"list":{"type":"string","enum":["tools","prompts","resources"],\
                    "description":"Which list."}},"required":["list"],"additionalProperties":false}
                    """)
        case .content:
            JSONText(
                literal: """
                    {"type":"object","properties":{"kind":{"type":"string",\
                    "enum":["text","image","audio","resource","resource_link"],"description":"Which one; all if left out."}},\
                    "additionalProperties":false}
                    """)
        case .touch:
            JSONText(
                literal: """
                    {"type":"object","properties":{"uri":{"type":"string","description":"Of the resource."}},\
                    "required":["uri"],"additionalProperties":false}
                    """)
        }
    }

    var outputSchema: JSONText? {
        guard self == .add else { return nil }
        return JSONText(
            literal:
                #"{"type":"object","properties":{"sum":{"type":"number","description":"a + b"}},"required":["sum"]}"#)
    }
}

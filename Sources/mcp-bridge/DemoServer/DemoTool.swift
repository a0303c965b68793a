import BridgeCore
import BridgeMCP

/// The tools of the demo server, as lists describe them.
enum DemoTool: String, CaseIterable {
    case add, clock, echo, fail, log, sleep
    // With `--everything`:
    case askModel = "ask_model"
    case askPage = "ask_page"
    case askPerson = "ask_person"
    case askRoots = "ask_roots"
    case askTwice = "ask_twice"
    case change, content, extra
    case needPage = "need_page"
    case touch

    private static let small: Set<DemoTool> = [.add, .clock, .echo, .fail, .log, .sleep]
    private static let pageSize = 6

    func isOffered(_ everything: DemoEverything?) -> Bool {
        if Self.small.contains(self) { return true }
        guard let everything else { return false }
        return self != .extra || everything.hasExtraTool
    }

    /// The result of `initialize`.
    static func introduction(for revision: ProtocolRevision, isEverything: Bool) -> JSONText {
        JSONWriter.object { result in
            result.member("protocolVersion", revision.name)
            result.member("capabilities", Self.capabilities(for: revision, isEverything: isEverything))
            result.memberObject("serverInfo") { info in
                info.member("name", "mcp-bridge-demo")
                if revision >= .v2025_06_18 { info.member("title", "mcp-bridge demo server") }
                info.member("version", "1.0.0")
            }
            let words = "Small tools for trying out an MCP client or a bridge."
            result.member("instructions", isEverything ? words : words + " None of them changes anything.")
        }
    }

    private static func capabilities(for revision: ProtocolRevision, isEverything: Bool) -> JSONText {
        guard isEverything else { return JSONText(literal: #"{"logging":{},"tools":{}}"#) }
        return JSONWriter.object { all in
            all.member("logging", JSONText.emptyObject)
            all.memberObject("tools") { $0.member("listChanged", true) }
            all.memberObject("prompts") { $0.member("listChanged", true) }
            all.memberObject("resources") {
                $0.member("listChanged", true)
                $0.member("subscribe", true)
            }
            if revision >= .v2025_03_26 { all.member("completions", JSONText.emptyObject) }
            guard revision >= .v2025_11_25 else { return }
            all.member("tasks", JSONText(literal: #"{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}"#))
        }
    }

    /// The result of `tools/list`: all of a few tools, one page of many; nil where there is no such page.
    static func list(for revision: ProtocolRevision, _ everything: DemoEverything?, cursor: String?) -> JSONText? {
        let all = Self.allCases.filter { $0.isOffered(everything) }
        let start = cursor.map { Int($0) ?? -1 } ?? 0
        guard start == 0 || everything != nil, start >= 0, start < all.count, cursor == nil || start > 0 else {
            return nil
        }
        let end = everything == nil ? all.count : min(start + Self.pageSize, all.count)
        return JSONWriter.object { result in
            result.memberArray("tools") { tools in
                for tool in all[start..<end] {
                    tools.object { tool.describe(in: &$0, for: revision, isEverything: everything != nil) }
                }
            }
            if end < all.count { result.member("nextCursor", "\(end)") }
        }
    }

    private func describe(in writer: inout JSONWriter, for revision: ProtocolRevision, isEverything: Bool) {
        writer.member("name", self.rawValue)
        if revision >= .v2025_06_18 { writer.member("title", self.title) }
        writer.member("description", self.description)
        writer.member("inputSchema", self.inputSchema)
        if revision >= .v2025_06_18 { writer.member("outputSchema", ifPresent: self.outputSchema) }
        guard revision >= .v2025_03_26 else { return }
        writer.memberObject("annotations") { annotations in
            annotations.member("title", self.title)
            annotations.member("readOnlyHint", self != .change && self != .touch)
            annotations.member("idempotentHint", self != .clock && self != .change && self != .touch)
            annotations.member("openWorldHint", false)
        }
        if self == .sleep, isEverything, revision >= .v2025_11_25 {
            writer.memberObject("execution") { $0.member("taskSupport", "optional") }
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
        case .askModel: "Ask the client's model"
        case .askPage: "Have a page opened"
        case .askPerson: "Ask the person"
        case .askRoots: "Ask for the roots"
        case .askTwice: "Ask two things at once"
        case .change: "Change a list"
        case .content: "Every kind of content"
        case .extra: "Come and go"
        case .needPage: "Refuse until a page has been opened"
        case .touch: "Change a resource"
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
        case .askModel: "Asks the client's model (sampling) and returns what it said."
        case .askPage: "Asks the person to open a page (elicitation by URL)."
        case .askPerson: "Asks the person to fill in a form (elicitation) and returns what was filled in."
        case .askRoots: "Asks the client for its roots and returns them."
        case .askTwice: "Asks the model and the person at the same time."
        case .change: "Adds an entry to a list or takes it out again, and says that the list has changed."
        case .content: "Returns one kind of content, or all."
        case .extra: "Is there after 'change' has put it there."
        case .needPage: "Fails with the error that says which page has to be opened first."
        case .touch: "Changes a resource, and tells a client that has subscribed to it."
        }
    }
}

package import BridgeCore

/// A tool that the model may call, and the client runs.
package struct ChatTool: Sendable, Hashable {
    package var name: String
    package var description: String?
    /// A JSON schema whose type is `object`, as it was written.
    package var inputSchema: JSONText
    /// The client wants a plain text instead of an object (OpenAI's custom tools).
    package var isFreeform = false

    package init(name: String, description: String? = nil, inputSchema: JSONText, isFreeform: Bool = false) {
        self.name = name
        self.description = description
        self.inputSchema = inputSchema
        self.isFreeform = isFreeform
    }

    /// For a tool without parameters.
    static let emptySchema = JSONText(literal: #"{"type":"object","properties":{}}"#)

    /// For a tool that takes a plain text.
    static let freeformSchema = JSONText(
        literal: #"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#)

    /// What MCP lets a tool be called, which is more than the model APIs do (server/tools, "Tool Names").
    static func isName(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count)
            && name.utf8.allSatisfy { PercentCoding.isAlphanumeric($0) || "_-.".utf8.contains($0) }
    }
}

package enum ChatToolChoice: Sendable, Hashable {
    /// The model decides.
    case automatic
    case none
    /// At least one tool.
    case required
    /// This one. It is among the request's tools.
    case tool(String)
}

import BridgeChat

/// What models are called to clients.
enum ModelNames {
    /// Claude Code offers only what begins with `claude` or `anthropic`.
    static let alias = "anthropic/\(ChatRequest.unnamedModel)"

    /// The name as the session worker knows it: empty where the choice is open.
    static func known(_ model: String) -> String {
        model == Self.alias || ChatRequest(model: model).leavesModelOpen ? "" : model
    }

    /// The name that an answer has: what the client wrote, and a name of ours where it wrote none. To clients of chat
    /// completions and Responses, `auto` is none.
    static func told(_ request: ChatRequest, _ dialect: ChatDialect) -> String {
        dialect == .messages && !request.model.isEmpty ? request.model : request.modelName
    }
}

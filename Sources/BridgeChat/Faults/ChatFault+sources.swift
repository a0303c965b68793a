// What is told of sources. The texts of a 503 are those of MCPTokenBridge, which clients may show or look
// for: as the message, and as `detail` beside the error.
extension ChatFault {
    /// No client lends a model.
    package static let noHook = ChatFault(
        .noSource, "Hook not initialized - MCP context missing", detail: "Hook not initialized - MCP context missing")

    /// A client lends a model, and its first answer has not come yet.
    package static let notReady = ChatFault(
        .sourceNotReady, "MCP session not ready - VS Code Copilot not available",
        detail: "MCP session not ready - VS Code Copilot not available")

    /// None of the clients that lend this model takes tools.
    package static let sourceWithoutTools = ChatFault(
        .toolsNotSupported,
        "The source of this model takes no tools (its client does not declare sampling.tools); send the request "
            + "without tools, or use a model of another source", param: "tools")

    /// None of them takes sound.
    package static let sourceWithoutSound = ChatFault.unsupported(
        "messages.content", "the source of this model takes no sound")

    /// - Parameters:
    ///   - limit: in words, `30 s`.
    ///   - setting: what moves it.
    package static func timeout(after limit: String, setting: String) -> ChatFault {
        ChatFault(
            .sourceTimeout, "The source did not answer within \(limit) (\(setting)); it was told to stop",
            sourceWasAsked: true)
    }

    /// - Parameter setting: what moves the limit.
    package static func tooLarge(limit: Int, setting: String) -> ChatFault {
        ChatFault(.tooLarge, "The body is longer than the \(limit) bytes that are accepted (\(setting))")
    }
}

/// Clients that are shown safe names under `names: auto`, by the `clientInfo.name` they send.
///
/// The model APIs behind them accept `[A-Za-z0-9_-]{1,64}`. These clients hand a name on as it is, or refuse it, or
/// change it and then call a tool that does not exist. Not listed: clients that spell dots safely for their model and
/// still call the tool by its own name (VS Code, Claude Code), and those that accept dots. A client too many costs
/// nothing but looks: both spellings can always be called.
package enum SafeNameClients {
    package static let standard: [String] = [
        // claude.ai and Claude Desktop: one name with a dot, and the whole tool list is refused.
        "claude-ai", "Anthropic/ClaudeAI",
        // Cursor: filters dotted names out, or calls `a_b` for `a.b`.
        "cursor-vscode",
        // ChatGPT: function names are `[A-Za-z0-9_-]+`.
        "openai-mcp",
        // GitHub Copilot outside VS Code: `does not match pattern`.
        "github-copilot-developer",
    ]
}

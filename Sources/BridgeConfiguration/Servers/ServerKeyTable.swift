/// Every key of a server entry, in one place: the reader and docs/configuration.md go by it.
package enum ServerKeyTable {
    package struct Key: Sendable {
        package let name: String
        package let values: String
        package let meaning: String

        init(_ name: String, _ values: String, _ meaning: String) {
            self.name = name
            self.values = values
            self.meaning = meaning
        }
    }

    /// As Claude Desktop, VS Code, Cursor and their like write them.
    package static let common: [Key] = [
        Key("command", "text", "program to start"),
        Key("args", "[text]", "its arguments"),
        Key("env", "{name: text}", "its environment variables; `null` removes one. Of a remote server: its proxies"),
        Key("envFile", "path", "a file of further variables; `env` wins"),
        Key("cwd", "path", "its working directory; the service's home when absent"),
        Key("url", "URL", "a remote server: Streamable HTTP is tried first, then SSE, unless `type` says which"),
        Key("serverUrl", "URL", "the same, as Windsurf writes it"),
        Key("httpUrl", "URL", "the same, as Gemini CLI writes it for Streamable HTTP"),
        Key("headers", "{name: text}", "sent to a remote server with each request"),
        Key(
            "type", "`stdio` or `local`, `http` or `streamable-http`, `sse`, `remote`",
            "how it is reached; inferred when absent"),
        Key("transport", "the same, or {`type`: …}", "another name for `type`"),
        Key("transportType", "the same", "another name for `type`, as Cline wrote it"),
        Key("disabled", "true or false", "leaves the server out"),
        Key("disabledTools", "[text]", "tools that are not shown, as Windsurf and Roo Code write them"),
        Key("excludeTools", "[text]", "the same, as Gemini CLI writes them"),
        Key("includeTools", "[text]", "the only tools that are shown, as Gemini CLI writes them"),
        Key("timeout", "time", "for a call; more than 3600 is milliseconds"),
        Key("encoding", "`utf-8`", "of its output"),
        Key("encoding_error_handler", "`strict`, `ignore`, `replace`", "what to do about bytes that are not UTF-8"),
    ]

    package static let own: [Key] = [
        Key("enabled", "true or false", "the opposite of `disabled`"),
        Key("prefix", "text", "in place of the server's name; `\"\"` shows names as they are"),
        Key("tools", "{`allow`, `deny`: [pattern], `rename`: {name: name}}", "which tools are shown, and how"),
        Key("prompts", "the same", "which prompts are shown, and how"),
        Key("resources", "the same", "which resources are shown, and how"),
        Key(
            "timeouts", "{`connect`, `list`, `call`, `ping`, `question`, `turn`, `tools`: {name: time}}",
            "in place of `bridge.timeouts`"),
        Key(
            "tls", "{`ca`: path, `insecure`: true}",
            "who is trusted beside the system's own; `insecure` on loopback only"),
        Key("oauth", "object, or false", "how it is signed in to, where it asks for that; see below"),
        Key(
            "share", "`all`, `principal`, `session`",
            "who shares a child: everybody, the sessions of one principal, or nobody"),
        Key("lanes", "number", "children at once where it is not `all`; 8 when absent"),
        Key(
            "asks", "true or false",
            "whether it asks in the middle of calls, which take turns then; when absent, found out"),
        Key("roots", "[path or URI, or {`uri`, `name`}]", "told to the server when it asks"),
        Key("limits", "{`memory`: size, `cpu`: percent, `tasks`: number}", "what its processes may use together"),
        Key("retry", "`none`, `annotated`", "whether a call that may have run is sent again"),
        Key("start", "`eager`, `lazy`", "with the service, or with the first call"),
        Key(
            "idleStop", "time",
            "stops the child after so long without a call, unless somebody waits for news of its resources"),
    ]

    /// A remote server's address goes by several names; the first that is there counts.
    static let addresses = ["url", "serverUrl", "httpUrl"]

    static let known: [String] = (Self.common + Self.own).map(\.name)

    /// Known to be written by other programs into the same entries; ignored.
    static let foreign: Set<String> = [
        // VS Code
        "gallery", "version", "dev", "sandbox", "sandboxEnabled",
        // Cursor
        "auth", "metadata",
        // Claude Code
        "headersHelper", "scope", "alwaysLoad",
        // Cline, Roo Code and their relatives
        "autoApprove", "alwaysAllow", "enabledTools", "watchPaths", "networkTimeout",
        "remoteConfigured", "isActive", "timeoutSeconds",
        // Windsurf, Gemini CLI
        "trust", "authProviderType", "targetAudience",
        "targetServiceAccount", "oauthScopes",
        // GitHub Copilot CLI
        "filterMapping", "oauthClientId", "oauthPublicClient", "isDefaultServer",
        // Zed
        "source", "settings", "remote",
        // Notes to people
        "name", "description", "title", "icon", "icons", "note", "notes", "comment", "_comment", "//", "$comment",
        "tags", "homepage", "provider", "author",
    ]

    /// The keys as Markdown.
    package static var markdown: String {
        let rows = (self.common + self.own).map { "| `\($0.name)` | \($0.values) | \($0.meaning) |" }
        return (["| key | value | what it is |", "|---|---|---|"] + rows).joined(separator: "\n") + "\n"
    }
}

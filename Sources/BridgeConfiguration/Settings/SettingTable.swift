import NIOCore

/// Every setting under `bridge`, in one place: the reader, `config print`, reloads and docs/configuration.md all go by it.
package enum SettingTable {
    package static let all: [Setting] =
        Self.serving + Self.naming + Self.access + Self.limits + Self.lives + Self.chat + Self.auditing + Self.logging

    private static let serving: [Setting] = [
        Setting("listen", \.listen, .addresses, needsRestart: true, "where to listen when systemd passes no sockets"),
        Setting("mcpPath", \.mcpPath, .mcpPath, needsRestart: true, "path of the MCP endpoint"),
        Setting("serverName", \.serverName, .text, "the name clients are shown"),
        Setting("instructions", \.instructions, SettingKind.text.optional, "what clients are told about this server"),
        Setting("publicURL", \.publicURL, SettingKind.publicURL.optional, "how the service is reached from outside"),
    ]

    private static let naming: [Setting] = [
        Setting("names", \.names, .word, "which spelling of names lists show"),
        Setting("separator", \.separator, .separator, "between a server's name and its tool's"),
        Setting("safeNamesFor", \.safeNamesFor, .texts, "`clientInfo.name`s that are shown safe names under `auto`"),
        Setting(
            "listWait", \.listWait, .timeOrZero,
            "how long a list waits for servers never listed before; three times that while no server has listed anything"
        ),
        Setting(
            "pageSize", \.pageSize, SettingKind.number(1...100_000).optional,
            "entries in a page of a list; all in one when unset"),
    ]

    private static let access: [Setting] = [
        Setting(
            "requireToken", \.requireToken, SettingKind.word.optional,
            "who needs a token: those who are not certainly of this machine, or everybody; unset it is `always` once "
                + "`publicURL`, `hosts`, `trustedProxies` or an address beyond loopback is configured, `remote` else"),
        Setting("hosts", \.hosts, .hosts, "names, beyond this machine's addresses, that a `Host` header may carry"),
        Setting("origins", \.origins, .origins, "web origins that may ask"),
        Setting(
            "trustedProxies", \.trustedProxies, .blocks,
            "proxies in front of the service: from them `X-Forwarded-Prefix` is believed (for HTTP+SSE); any entry "
                + "means that everybody needs a token"),
        Setting(
            "signIn.port", \.signInPort, .number(1...65_535),
            "where a browser comes back to at a sign-in, on 127.0.0.1; open only while one waits"),
        Setting("peers", \.peers, .peers, "what users may do on the local socket; root and the service's user: all"),
    ]

    private static let limits: [Setting] = [
        Setting("limits.headerBytes", \.limits.maximumHeaderBytes, .size(atLeast: 1_024), "headers of a request"),
        Setting("limits.bodyBytes", \.limits.maximumBodyBytes, .size(atLeast: 1_024), "body of a request"),
        Setting(
            "limits.chatBody", \.limits.maximumChatBytes, .size(atLeast: 1_024), "body of a request of the model APIs"),
        Setting(
            "limits.heldBytes", \.limits.maximumHeldBytes, .size(atLeast: 1 << 20),
            "requests under way, and answers not read yet, of all clients"
        ),
        Setting(
            "limits.workerBytes", \.workerBytes, .size(atLeast: 1 << 20),
            "what each worker behind the front holds of requests, and of answers"
        ),
        Setting("limits.connections", \.limits.maximumConnections, .number(1...1_000_000), "connections at once"),
        Setting("limits.calls", \.maximumInFlight, .number(1...1_000_000), "calls under way at once"),
        Setting(
            "limits.tokenRate", \.tokenRate, SettingKind.rate.optional, "requests of all tokens together"),
        Setting("limits.headerTimeout", \.limits.headerTimeout, .time, "to receive a request's headers"),
        Setting("limits.bodyTimeout", \.limits.bodyTimeout, .time, "to receive a request's body"),
        Setting("limits.idleTimeout", \.limits.idleTimeout, .time, "between two requests of a connection"),
        Setting("limits.slowReadTimeout", \.limits.slowReadTimeout, .time, "for a client to read what was sent"),
        Setting("limits.linger", \.limits.linger, .timeOrZero, "for a client to read the last bytes before a close"),
    ]

    private static let lives: [Setting] = [
        Setting("sessionLifetime", \.sessionLifetime, .time, "how long a session id is good"),
        Setting("sessionIdleMemory", \.idleMemory, .time, "idle time after which a session leaves memory"),
        Setting("resultRetention", \.resultRetention, .time, "how long an unfetched result waits for its client"),
        Setting("keepAlive", \.keepAliveInterval, .time, "between two signs of life on a silent stream"),
        Setting(
            "timeouts.connect", \.timeouts.connect, .time,
            "to start a server and introduce ourselves; doubled after a start that was too slow"),
        Setting("timeouts.list", \.timeouts.list, .time, "for a page of a list"),
        Setting("timeouts.call", \.timeouts.call, .time, "for a call, counted anew from each progress message"),
        Setting("timeouts.ping", \.timeouts.ping, .time, "for a ping"),
        Setting(
            "timeouts.question", \.timeouts.question, .time,
            "for a client's answer to a server's question; the call's own time stands still meanwhile"),
        Setting("timeouts.turn", \.timeouts.turn, .time, "for a call that waits for its turn behind a question"),
        Setting("pingInterval", \.pingInterval, .time, "between two pings of a server"),
        Setting("refreshInterval", \.refreshInterval, .time, "between two listings of a server"),
        Setting("reconnect.base", \.reconnect.base, .time, "first delay before trying a server again; doubles"),
        Setting("reconnect.maximum", \.reconnect.maximum, .time, "longest such delay"),
        Setting("drainTimeout", \.drainTimeout, .timeOrZero, "for calls under way to finish when the service stops"),
    ]

    private static let auditing: [Setting] = [
        Setting(
            "audit.requests", \.audit.requests, .word,
            "which requests have a row in the audit: those with a token, or all"),
        Setting("audit.days", \.audit.days, .number(1...3_650), "how long rows of the audit are kept"),
        Setting(
            "audit.content", \.audit.content, .word,
            "what the log has of what is said to models and by them: all of it, a digest, or nothing"),
    ]

    private static let logging: [Setting] = [
        Setting("log.level", \.log.level, .level, "how much is logged"),
        Setting(
            "log.path", \.log.path, SettingKind.text.optional, needsRestart: true,
            "a JSON-lines file, beside the journal or the terminal"),
        Setting(
            "log.maxBytes", \.log.maximumBytes, .size(atLeast: 4_096), needsRestart: true, "size at which it is rotated"
        ),
        Setting("log.backups", \.log.backups, .number(0...1_000), needsRestart: true, "old files kept"),
    ]

    /// The keys whose value is another one now, and of which a running service learns nothing before it is started anew.
    package static func needingRestart(from old: BridgeSettings, to new: BridgeSettings) -> [String] {
        Self.all.filter { $0.needsRestart && $0.differs(old, new) }.map(\.key)
    }

    /// The table as Markdown: key, what may be written, default, meaning, and a mark where a change needs a restart.
    package static var markdown: String {
        let standard = BridgeSettings()
        let rows = self.all.map { setting in
            let value = Self.compact(setting.value(standard))
            let values = setting.values.replacing("|", with: "\\|")
            let meaning = setting.needsRestart ? "\(setting.meaning) (restart)" : setting.meaning
            return "| `\(setting.key)` | \(values) | \(value) | \(meaning) |"
        }
        return (["| `bridge.` | value | default | what it is |", "|---|---|---|---|"] + rows).joined(separator: "\n")
            + "\n"
    }

    private static func compact(_ value: ConfigurationValue) -> String {
        if case .null = value { return "" }
        let text = String(buffer: value.rendered).split(separator: "\n").map { $0.trimmingPrefix { $0 == " " } }
        return "`\(text.joined(separator: " "))`"
    }
}

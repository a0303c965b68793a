import ArgumentParser
import BridgeAccess
import BridgeMCP
import FoundationEssentials

/// Asks, and shows what comes back: for people, or as JSON.
struct TokenOutput: ParsableArguments {
    @Flag(help: "The answer as JSON.")
    var json = false

    @Flag(help: "Nothing but what was asked for: a secret, or ids; nothing where neither was.")
    var quiet = false

    @OptionGroup var place: AccessPlace

    func show(_ command: AccessCommand, showsAll: Bool = true) throws {
        let client = self.place.client
        switch try client.ask(command) {
        case .issued(let token, let secret, let rule):
            try self.show(token, secret, rule: rule, client)
        case .tokens(let tokens):
            let shown = tokens.filter { showsAll || $0.state == .good }
            if self.json { return try Self.print(shown) }
            if self.quiet { return StandardStreams.output(shown.map { $0.id + "\n" }.joined()) }
            guard !shown.isEmpty else { return StandardStreams.output("There are no tokens.\n") }
            let rows = shown.map {
                [
                    $0.id, PrintableText.line($0.name), $0.state.rawValue, PrintableText.line($0.scope),
                    $0.expires ?? "never", PrintableText.line(TokenText.limits($0)),
                ]
            }
            let header = ["ID", "NAME", "STATE", "SCOPE", "EXPIRES", "LIMITS"]
            StandardStreams.output(StatusTable.table(header, rows).joined(separator: "\n") + "\n")
        case .token(let token):
            if self.json { return try Self.print(token) }
            if self.quiet { return }
            StandardStreams.output(TokenText.lines(token).joined(separator: "\n") + "\n")
        case .usage(let usage):
            if self.json { return try Self.print(usage) }
            guard !usage.isEmpty else { return StandardStreams.output("No token has been used.\n") }
            let rows = usage.map {
                [
                    $0.token, PrintableText.line($0.name ?? "-"), "\($0.requests)", "\($0.failures)",
                    "\($0.requestBytes)", "\($0.responseBytes)", $0.last,
                ]
            }
            StandardStreams.output(
                StatusTable.table(["TOKEN", "NAME", "REQUESTS", "FAILED", "BYTES IN", "BYTES OUT", "LAST"], rows)
                    .joined(separator: "\n") + "\n")
        case .audit: break
        case .refused(_, let text): throw Self.refused(text)
        }
    }

    static func refused(_ text: String) -> any Error {
        StandardStreams.error("mcp-bridge: \(text)\n")
        return ExitCode.failure
    }

    /// The secret alone goes to standard output: whoever catches that catches nothing else.
    private func show(_ token: TokenReport, _ secret: String, rule: String?, _ client: AccessClient) throws {
        let address = client.address()
        if self.json {
            return try Self.print(Issued(token: token, secret: secret, url: address?.mcp, requireToken: rule))
        }
        StandardStreams.output(secret + "\n")
        guard !self.quiet else { return }
        StandardStreams.error(TokenText.instructions(token, address: address, rule: rule))
    }

    private struct Issued: Encodable {
        let token: TokenReport
        let secret: String
        let url: String?
        let requireToken: String?
    }

    static func print(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        StandardStreams.output(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
    }
}

/// What people are told of a token.
enum TokenText {
    static func lines(_ token: TokenReport) -> [String] {
        var rows: [(String, String?)] = [
            ("id", token.id), ("name", token.name), ("state", token.state.rawValue), ("scope", token.scope),
            ("models", token.models ?? "all"), ("created", token.created), ("expires", token.expires ?? "never"),
            ("revoked", token.revoked), ("rate", token.rate), ("concurrency", token.concurrency.map { "\($0)" }),
            ("budget", token.budget), ("old secret until", token.oldSecretUntil),
        ]
        if token.sandbox { rows.append(("sandbox", "yes")) }
        if token.audit { rows.append(("audit", "each request is logged")) }
        return rows.compactMap { label, value in
            value.map { label + String(repeating: " ", count: 18 - label.count) + PrintableText.line($0) }
        }
    }

    /// What bounds it beside its time, in one line.
    static func limits(_ token: TokenReport) -> String {
        let words = [
            token.sandbox ? "sandbox" : nil, token.rate, token.concurrency.map { "\($0) at once" }, token.budget,
        ].compactMap(\.self)
        return words.isEmpty ? "-" : words.joined(separator: ", ")
    }

    /// What programs do with it, by what its scope opens.
    private static func uses(of token: TokenReport, at address: ServiceAddress) -> [String] {
        let (root, url) = (address.root, address.mcp)
        let words = token.scope.split(separator: ",").map { $0.split(separator: " ").joined() }
        let isAdmin = words.contains("admin")
        var lines: [String] = []
        if isAdmin || words.contains(where: { $0 == "mcp" || $0.hasPrefix("server:") || $0.hasPrefix("tool:") }) {
            lines += [
                // The shell's own printf: what is an argument of a program can be read by everybody on the machine.
                "  printf 'Authorization: Bearer %s' \"$MCP_BRIDGE_TOKEN\" | curl -H @- \(root)/tools",
                // Not the shell but Claude Code puts the token there, each time that it starts.
                "  claude mcp add --transport http mcp-bridge \(url) "
                    + "--header 'Authorization: Bearer ${MCP_BRIDGE_TOKEN}'",
            ]
        }
        if isAdmin || words.contains("chat") {
            lines += [
                "  OpenAI-style programs:    base URL \(root)/v1, the token as API key",
                "  Anthropic-style programs: base URL \(root), the token as API key",
            ]
        }
        if words.contains("source") {
            lines.append("  an MCP client that lends its model: \(url), the token as bearer token")
        }
        return lines
    }

    /// How to use it. The secret is not repeated: what is copied from here reads it from the environment.
    static func instructions(_ token: TokenReport, address: ServiceAddress?, rule: String?) -> String {
        let address = address ?? .usual
        var lines = [
            "",
            "Token \(token.id) (\(PrintableText.line(token.name))): \(PrintableText.line(token.scope)), "
                + "expires \(token.expires ?? "never"). Its secret is the line above; it is not shown again. Keep it:",
            "", "  export MCP_BRIDGE_TOKEN=…", "", "Then:", "",
        ]
        lines += Self.uses(of: token, at: address) + [""]
        if token.sandbox {
            lines.append("Models answer it with an echo of what they are asked, and nobody else sees it.")
        }
        switch rule {
        case "always": lines.append("Every request needs a token here, those of this machine too.")
        case "remote": lines.append("Requests of this machine need no token; all others do.")
        default: break
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

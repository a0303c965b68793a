import ArgumentParser
import BridgeAccess
import BridgeMCP
import FoundationEssentials

/// Asks, and shows what comes back: for people, or as JSON.
struct TokenOutput: ParsableArguments {
    @Flag(help: "The answer as JSON.")
    var json = false

    @Flag(help: "Nothing but what was asked for.")
    var quiet = false

    @Option(help: "The service's control socket.")
    var control: String?

    @Option(help: "The state directory of a bridge of its own, such as 'mcp-bridge token-bridge' names at its start.")
    var state: String?

    func show(_ command: AccessCommand, showsAll: Bool = true) throws {
        let client = AccessClient(control: self.control, state: self.state)
        switch try client.ask(command) {
        case .issued(let token, let secret, let rule):
            try self.show(token, secret, rule: rule, client)
        case .tokens(let tokens):
            let shown = tokens.filter { showsAll || $0.state == .good }
            if self.json { return try Self.print(shown) }
            guard !shown.isEmpty else { return StandardStreams.output("There are no tokens.\n") }
            let rows = shown.map {
                [
                    $0.id, PrintableText.line($0.name), $0.state.rawValue, PrintableText.line($0.scope),
                    $0.expires ?? "never",
                ]
            }
            StandardStreams.output(
                StatusTable.table(["ID", "NAME", "STATE", "SCOPE", "EXPIRES"], rows).joined(separator: "\n") + "\n")
        case .token(let token):
            if self.json { return try Self.print(token) }
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

    /// How to use it. The secret is not repeated: what is copied from here reads it from the environment.
    static func instructions(_ token: TokenReport, address: ServiceAddress?, rule: String?) -> String {
        let address = address ?? .usual
        let (root, url) = (address.root, address.mcp)
        var lines = [
            "",
            "Token \(token.id) (\(PrintableText.line(token.name))): \(PrintableText.line(token.scope)), "
                + "expires \(token.expires ?? "never"). Its secret is the line above; it is not shown again. Keep it:",
            "",
            "  export MCP_BRIDGE_TOKEN=…", "", "Then:", "",
            "  curl -H \"Authorization: Bearer $MCP_BRIDGE_TOKEN\" \(root)/tools",
            "  claude mcp add --transport http mcp-bridge \(url) --header \"Authorization: Bearer $MCP_BRIDGE_TOKEN\"",
            "  OpenAI-style programs:    base URL \(root)/v1, the token as API key",
            "  Anthropic-style programs: base URL \(root), the token as API key", "",
        ]
        switch rule {
        case "always": lines.append("Every request needs a token here, those of this machine too.")
        case "remote": lines.append("Requests of this machine need no token; all others do.")
        default: break
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

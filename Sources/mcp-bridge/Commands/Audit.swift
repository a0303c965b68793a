import ArgumentParser
import BridgeAccess
import BridgeMCP
import FoundationEssentials
import Glibc

struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Show who asked for what, and how it ended.",
        discussion: """
            One line for each request that was made with a token (bridge.audit.requests: all has one for every request), \
            the oldest first. They are kept for bridge.audit.days, 30 by default. Nothing of what was said is in them.
            """
    )

    @Option(help: "Only those of this token: its id, or its name.")
    var token: String?

    @Option(help: "Only those since then, such as '24h' or '7d' ago.")
    var since: String?

    @Option(help: "Only those of this tool, prompt, resource or model: its name, or a pattern such as 'git.*'.")
    var tool: String?

    @Option(help: "Only those that ended so: 'ok', or an error's word such as 'upstream_unavailable'.")
    var outcome: String?

    @Option(help: "At most so many, the newest ones.")
    var limit = 1_000

    @Flag(help: "One JSON object for each line.")
    var json = false

    @Flag(help: "Go on with what comes, until interrupted.")
    var follow = false

    @OptionGroup var place: AccessPlace

    func run() throws {
        var wish = AuditWish(limit: self.limit)
        wish.token = self.token
        wish.subject = self.tool
        wish.outcome = self.outcome
        if let since {
            let now = Int(Date().timeIntervalSince1970)
            wish.since = (now - (try TokenTime.seconds(since, option: "since"))) * 1_000
        }
        let client = self.place.client
        var isFirst = true
        while true {
            let count: Int
            (count, wish.after) = try self.show(client, wish, isFirst: isFirst)
            isFirst = isFirst && count == 0
            guard self.follow else { return }
            wish.limit = AccessDesk.mostRows
            // Rows are written ten times a second at most.
            if count == 0 { usleep(200_000) }
        }
    }

    /// - Parameter isFirst: whether nothing has been shown yet.
    private func show(_ client: AccessClient, _ wish: AuditWish, isFirst: Bool) throws -> (Int, Int) {
        switch try client.ask(.audit(wish)) {
        case .audit(let rows, let last):
            // Of lines alone a program may make what it likes: for people, on a terminal, they are explained.
            if isFirst, !self.json, !rows.isEmpty, isatty(STDOUT_FILENO) == 1 { StandardStreams.output(Self.heading) }
            if isFirst, !self.json, !self.follow, rows.isEmpty {
                StandardStreams.error("No such request is on record.\n")
            }
            for row in rows { StandardStreams.output((self.json ? try Self.json(row) : Self.line(row)) + "\n") }
            return (rows.count, last)
        case .refused(_, let text): throw TokenOutput.refused(text)
        case .issued, .tokens, .token, .usage: throw TokenOutput.refused("the service answered something else")
        }
    }

    private static func json(_ row: AuditReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(row), as: UTF8.self)
    }

    private static let heading = "TIME  TOKEN OR CALLER  METHOD  OF  OUTCOME  STATUS  TIME TAKEN  IN  OUT  REQUEST\n"

    private static func line(_ row: AuditReport) -> String {
        let words = [
            row.time, row.token ?? row.principal, row.method, row.subject ?? "-", row.outcome, "\(row.status)",
            "\(row.microseconds / 1_000)ms", "\(row.requestBytes)B", "\(row.responseBytes)B", row.request,
        ]
        return words.map { PrintableText.line($0) }.joined(separator: "  ")
    }
}

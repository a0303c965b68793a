import BridgeCore
import BridgeMCP
import FoundationEssentials

/// How sign-ins are, for a terminal.
enum AuthTable {
    static func text(_ body: JSONText, now: Date) -> String {
        let rows = self.rows(body)
        guard !rows.isEmpty else { return "No server here can be signed in to: that is for servers with a 'url'.\n" }
        let seconds = Int(now.timeIntervalSince1970)
        let table = StatusTable.table(
            ["SERVER", "STATE", "TOKEN ENDS", "NEXT REFRESH", "LOCK"],
            rows.map { name, report, _ in
                [
                    PrintableText.line(name), report?.phase.rawValue ?? "unknown", self.time(report?.expires, seconds),
                    self.time(report?.next, seconds), report?.holder.map { PrintableText.line($0) } ?? "-",
                ]
            })
        let words = rows.flatMap { name, report, text in self.words(name, report, text) }
        return (table + words).joined(separator: "\n") + "\n"
    }

    /// Whether somebody has to do something.
    static func isTroubled(_ body: JSONText) -> Bool {
        self.rows(body).contains { _, report, _ in report?.phase.isTroubled ?? true }
    }

    private static func words(_ name: String, _ report: OAuthReport?, _ text: String?) -> [String] {
        let said = [report?.reason ?? text].compactMap(\.self) + (report?.notes ?? [])
        guard !said.isEmpty || report?.phase == .signInNeeded else { return [] }
        var lines = ["", "\(PrintableText.line(name)):"] + said.map { "  " + PrintableText.line($0) }
        if report?.phase == .signInNeeded { lines.append("  'mcp-bridge auth \(PrintableText.line(name))' signs in.") }
        return lines
    }

    private static func rows(_ body: JSONText) -> [(name: String, report: OAuthReport?, text: String?)] {
        var rows: [(String, OAuthReport?, String?)] = []
        body.value("upstreams")?.elements { list, span in
            let each = list[span]
            rows.append(
                (each.string("name") ?? "", each.value("oauth").flatMap { OAuthReport($0) }, each.string("text")))
        }
        return rows
    }

    /// `in 42 min`, `5 min ago`.
    static func time(_ seconds: Int?, _ now: Int) -> String {
        guard let seconds else { return "-" }
        let distance = abs(seconds - now)
        let words: String
        switch distance {
        case ..<120: words = "\(distance) s"
        case ..<7_200: words = "\(distance / 60) min"
        case ..<172_800: words = "\(distance / 3_600) h"
        default: words = "\(distance / 86_400) d"
        }
        return seconds >= now ? "in \(words)" : "\(words) ago"
    }
}

extension JSONText {
    fileprivate func elements(_ body: (JSONText, JSONSpan) -> Void) { self.elements { body(self, $0) } }
}

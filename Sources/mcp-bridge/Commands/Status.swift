import ArgumentParser
import BridgeCore
import BridgeMCP
import BridgeSupervisor
import FoundationEssentials
import Glibc
import NIOCore

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what the service is doing.",
        discussion: """
            A service that systemd has stopped is reported as stopped and is not woken by the question.
            Exit status: 0 all is well, 1 something is not, 3 not running.
            """
    )

    @Flag(help: "The whole status as JSON.")
    var json = false

    @Option(help: "The service's control socket.")
    var control: String?

    func run() throws {
        let path = ClientPlaces.socket("control.sock", environment: ProcessInfo.processInfo.environment)
        if self.control == nil,
            case .stopped(let word) = SystemdQuery.ask(isUser: !ClientPlaces.isMachines(path))
        {
            StandardStreams.output(
                self.json
                    ? "{\"ok\":false,\"running\":false,\"state\":\"\(word)\"}\n"
                    : "mcp-bridge is \(word); the next connection, or 'systemctl start mcp-bridge', starts it.\n"
            )
            throw ExitCode(3)
        }
        let answer: (status: Int, body: JSONText, text: String?)
        do {
            answer = try ControlClient(path: self.control).ask(.status(fresh: true))
        } catch {
            StandardStreams.error("mcp-bridge: \(error)\n")
            throw ExitCode(3)
        }
        let expiring = ExpiringTokens.ask(control: self.control)
        if self.json {
            var pretty = ByteBuffer()
            expiring.added(to: answer.body).writeIndented(to: &pretty)
            StandardStreams.output(String(buffer: pretty) + "\n")
        } else {
            StandardStreams.output(StatusTable.text(answer.body))
            if !expiring.lines.isEmpty {
                StandardStreams.output("\n" + expiring.lines.joined(separator: "\n") + "\n")
            }
        }
        if StatusTable.isTroubled(answer.body) { throw ExitCode(1) }
    }
}

/// The status for a terminal.
enum StatusTable {
    /// Whether something is wrong, and not merely still starting.
    static func isTroubled(_ status: JSONText) -> Bool {
        let upstreams = Self.rows(status.value("upstreams")) { [$0.string("phase") ?? ""] }
            .map { ShownPhase(ofUpstream: $0[0]) }
        let workers = Self.rows(status.value("workers")) { [$0.string("phase") ?? ""] }
            .map { WorkerLifecycle.Phase(rawValue: $0[0]).map(ShownPhase.worker) }
        return status.bool("ready") != true || (upstreams + workers).contains { $0?.isTroubled == true }
    }

    static func text(_ status: JSONText) -> String {
        var lines: [String] = []
        var listen: [String] = []
        let path = status.string("mcpPath") ?? "/mcp"
        if let list = status.value("listen") {
            list.elements { span in
                let address = list[span].string ?? ""
                listen.append(address.hasPrefix("/") ? address : "http://\(address)\(path)")
            }
        }
        lines.append(Self.firstLine(status))
        lines.append(status.string("text") ?? "")
        for address in listen { lines.append("  listening on \(address)") }
        lines.append("")
        lines += Self.table(
            ["UPSTREAM", "STATE", "TOOLS", "PID", "TROUBLE"],
            Self.rows(status.value("upstreams")) { upstream in
                [
                    upstream.string("name") ?? "", upstream.string("phase") ?? "", "\(upstream.int("toolCount") ?? 0)",
                    upstream.int("pid").map { "\($0)" } ?? "-",
                    Self.trouble(of: upstream),
                ]
            }
        )
        lines += Self.sources(status)
        lines.append("")
        let memory = Self.memory(status)
        lines += Self.table(
            ["WORKER", "STATE", "PID", "RESTARTS", "MEMORY"],
            Self.rows(status.value("workers")) { worker in
                let name = worker.string("name") ?? ""
                return [
                    name, worker.string("phase") ?? "", worker.int("pid").map { "\($0)" } ?? "-",
                    "\(worker.int("restarts") ?? 0)", memory[name].map(Self.size) ?? "-",
                ]
            }
        )
        for troubles in Self.rows(status.value("upstreams"), Self.troubles(of:)) where !troubles.isEmpty {
            lines += [""] + troubles
        }
        for notes in Self.rows(status.value("upstreams"), Self.notes(of:)) where !notes.isEmpty {
            lines += [""] + notes
        }
        for collision in Self.rows(status.value("collisions"), Self.collision(in:)) { lines += [""] + collision }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func collision(in text: JSONText) -> [String] {
        let (name, kept, refused) = (text.string("name") ?? "", text.string("kept") ?? "", text.string("refused") ?? "")
        let what =
            switch text.string("of") {
            case "prompts": "The name \(name) belongs to \(kept); \(refused)'s prompt of that name"
            case "resources": "The resource \(name) is \(kept)'s; \(refused)'s of the same URI"
            case "resourceTemplates": "The resource template \(name) is \(kept)'s; \(refused)'s of the same text"
            default: "The name \(name) belongs to \(kept); \(refused)'s tool of that name"
            }
        return [what + " is left out."]
    }

    /// Who lends models, where the configuration names anybody.
    private static func sources(_ status: JSONText) -> [String] {
        let rows = Self.rows(status.value("sources")) { source in
            [source.string("name") ?? "", source.string("client") ?? "-", source.string("text") ?? ""]
        }
        guard !rows.isEmpty else { return [] }
        let waiting = status.int("requestsWaiting") ?? 0
        return [""] + Self.table(["SOURCE", "CLIENT", "STATE"], rows)
            + (waiting == 0 ? [] : ["\(waiting) requests wait for a source."])
    }

    /// What went wrong last, else what there is to be said of one that is well.
    private static func trouble(of upstream: JSONText) -> String {
        if let error = upstream.string("lastError") { return error.count > 100 ? error.prefix(99) + "…" : error }
        var count = 0
        upstream.value("notes")?.elements { _ in count += 1 }
        return count == 0 ? "" : count == 1 ? "see the note below" : "see the \(count) notes below"
    }

    /// What there is to be said of an upstream that is used all the same, in full.
    private static func notes(of upstream: JSONText) -> [String] {
        var notes: [String] = []
        guard let list = upstream.value("notes") else { return notes }
        let name = upstream.string("name") ?? ""
        list.elements { notes.append("\(name): \(list[$0].string ?? "")") }
        return notes
    }

    /// What is wrong with a server's configuration, in full.
    private static func troubles(of upstream: JSONText) -> [String] {
        var troubles: [String] = []
        guard let list = upstream.value("troubles") else { return troubles }
        list.elements { troubles.append(list[$0].string ?? "") }
        return troubles
    }

    private static func firstLine(_ status: JSONText) -> String {
        let version = status.string("version") ?? "?"
        let line =
            "mcp-bridge \(version), pid \(status.int("pid") ?? 0), up \(Self.time(status.int("uptimeSeconds") ?? 0))"
        let memory = Self.memory(status)
        return memory.isEmpty ? line : line + ", memory \(Self.size(memory.values.reduce(0, +)))"
    }

    /// Bytes by process, the supervisor included.
    private static func memory(_ status: JSONText) -> [String: Int] {
        var memory: [String: Int] = [:]
        guard let processes = status.value("memory") else { return memory }
        processes.members { name, use in memory[name.string] = processes[use].int("pssBytes") }
        return memory
    }

    /// MiB, to a tenth.
    static func size(_ bytes: Int) -> String {
        let tenths = (bytes * 10 + (1 << 19)) >> 20
        return "\(tenths / 10).\(tenths % 10) MiB"
    }

    private static func rows(_ list: JSONText?, _ row: (JSONText) -> [String]) -> [[String]] {
        var rows: [[String]] = []
        list?.elements { span in if let list { rows.append(row(list[span])) } }
        return rows
    }

    static func table(_ header: [String], _ rows: [[String]]) -> [String] {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }

    private static func time(_ seconds: Int) -> String {
        if seconds < 60 { return "\(seconds) s" }
        if seconds < 3_600 { return "\(seconds / 60) min" }
        if seconds < 172_800 { return "\(seconds / 3_600) h" }
        return "\(seconds / 86_400) days"
    }
}

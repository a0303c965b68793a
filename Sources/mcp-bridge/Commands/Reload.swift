import ArgumentParser
import BridgeCore
import NIOCore

struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Have the service read its configuration anew.",
        discussion: """
            Returns when the difference has been applied. An invalid file changes nothing; the reasons are printed and the \
            exit status is 1.
            """
    )

    @Option(help: "The service's control socket.")
    var control: String?

    func run() throws {
        do {
            let answer = try ControlClient(path: self.control).ask(.reload, timeout: .seconds(60))
            guard answer.status == 200 else {
                StandardStreams.error((answer.text ?? answer.body.string("error") ?? "refused") + "\n")
                throw ExitCode.failure
            }
            StandardStreams.output(Self.text(answer.body))
        } catch let failure as ControlClient.Failure {
            StandardStreams.error("mcp-bridge: \(failure)\n")
            throw ExitCode.failure
        }
    }

    private static func text(_ body: JSONText) -> String {
        func names(_ key: StaticString) -> [String] {
            var names: [String] = []
            if let list = body.value(key) { list.elements { names.append(list[$0].string ?? "") } }
            return names
        }
        var lines: [String] = []
        for (word, list) in [("added", names("added")), ("removed", names("removed")), ("changed", names("changed"))]
        where !list.isEmpty {
            lines.append("\(word): \(list.joined(separator: ", "))")
        }
        let restart = names("needsRestart")
        if !restart.isEmpty { lines.append("needs a restart: \(restart.joined(separator: ", "))") }
        if lines.isEmpty { lines.append("reloaded; no upstream changed") }
        for failed in names("failed") { lines.append("failed: \(failed)") }
        return lines.joined(separator: "\n") + "\n"
    }
}

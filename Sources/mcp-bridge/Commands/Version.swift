import ArgumentParser

struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() { StandardStreams.output("mcp-bridge \(BridgeVersion.text)\n") }
}

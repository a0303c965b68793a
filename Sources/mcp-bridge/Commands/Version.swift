import ArgumentParser

struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the version.")

    func run() { FileHandleText.standardOutput("mcp-bridge \(BridgeVersion.text)\n") }
}

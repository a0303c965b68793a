import ArgumentParser

/// Which bridge's tokens and rows a command is about.
struct AccessPlace: ParsableArguments {
    @Option(help: "The service's control socket.")
    var control: String?

    @Option(help: "The state directory of a bridge of its own, such as 'mcp-bridge token-bridge' names at its start.")
    var state: String?

    var client: AccessClient { AccessClient(control: self.control, state: self.state) }
}

/// What a server entry points at, expanded.
package enum UpstreamTarget: Sendable, Hashable {
    case stdio(Program)
    case remote(Endpoint)

    /// A program that speaks MCP on its standard input and output.
    package struct Program: Sendable, Hashable {
        package var command: ConfiguredText
        package var arguments: [ConfiguredText] = []
        /// Of `envFile` and `env`; the latter wins.
        package var environment: [String: ConfiguredText] = [:]
        /// Variables that the child must not inherit (`null` in `env`).
        package var removedVariables: Set<String> = []
        package var workingDirectory: ConfiguredText?
        /// Where it runs without one: the service's home.
        package var standardDirectory: String?
        package var encodingErrors: StdioLaunch.EncodingErrors = .strict

        package init(command: ConfiguredText) {
            self.command = command
        }
    }

    package struct Endpoint: Sendable, Hashable {
        package var url: ConfiguredText
        package var headers: [String: ConfiguredText] = [:]
        package var dialect: RemoteTarget.Dialect = .probe
        package var proxy: RemoteTarget.Proxy?
        /// A PEM file of who is trusted beside those whom the system trusts.
        package var authorities: ConfiguredText?
        package var trustsAnybody = false

        package init(url: ConfiguredText) {
            self.url = url
        }
    }

    /// Of a program; see ``Program/standardDirectory``.
    var standardDirectory: String? {
        get {
            guard case .stdio(let program) = self else { return nil }
            return program.standardDirectory
        }
        set {
            guard case .stdio(var program) = self else { return }
            program.standardDirectory = newValue
            self = .stdio(program)
        }
    }

    /// The word for it in status reports.
    package var kind: String {
        switch self {
        case .stdio: "stdio"
        case .remote: "http"
        }
    }
}

import NIOCore

@testable import BridgeConfiguration
@testable import BridgeCore

/// What most tests of configuration read with.
enum Loading {
    static let context = LoadingContext(
        variables: ["HOME": "/home/ada", "GITHUB_TOKEN": "ghp_secret", "EMPTY": ""],
        homeDirectory: "/home/ada",
        executablePath: "/usr/bin/mcp-bridge",
        credential: { $0 == "api" ? "cred-secret\n" : nil },
        fileContent: { $0 == "/etc/app/.env" ? Array("FROM_FILE=file-secret\nSHARED=file\n".utf8) : nil },
        fileExists: { ["/home/ada", "/etc/app/tools/echo_server.py", "/etc/app/bin/python"].contains($0) },
        userID: { $0 == "ada" ? 1_000 : nil }
    )

    static func load(
        _ text: String, context: LoadingContext = Loading.context, overlay: ServersOverlay = ServersOverlay()
    ) -> LoadedConfiguration {
        ConfigurationLoader(context: context).load(
            ConfigurationSource(name: "config.json", directory: "/etc/app", bytes: Array(text.utf8)), overlay: overlay
        )
    }

    /// The program of the only server, or of the one named.
    static func program(_ loaded: LoadedConfiguration, _ name: String? = nil) -> UpstreamTarget.Program? {
        let servers = loaded.configuration?.servers ?? []
        guard case .stdio(let program)? = servers.first(where: { name == nil || $0.name == name })?.target else {
            return nil
        }
        return program
    }
}

extension LoadedConfiguration {
    /// The servers that run, and those that cannot; `nil` where nothing is served.
    var fates: (served: [String], failed: [String])? {
        self.configuration.map { ($0.upstreams.map(\.name), $0.failed.map(\.name)) }
    }

    /// `line:column key: message` of each diagnostic, for comparison.
    var brief: [String] {
        self.diagnostics.map { "\($0.line ?? 0):\($0.column ?? 0) \($0.keyPath): \($0.message)" }
    }
}

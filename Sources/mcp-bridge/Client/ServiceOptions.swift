import ArgumentParser
import FoundationEssentials

/// How a command finds the service as an MCP client.
struct ServiceOptions: ParsableArguments {
    @Option(help: "The endpoint, such as http://127.0.0.1:8769/mcp. Default: the service's local Unix socket.")
    var url: String?

    @Option(help: "A file with the token to show, which nobody else may read. Default: $MCP_BRIDGE_TOKEN, else none.")
    var tokenFile: String?

    /// - Parameter inbox: where a server's questions to a person go.
    func client(asking inbox: CallInbox? = nil) throws -> MCPClient {
        let environment = ProcessInfo.processInfo.environment
        if let url, !Self.isEndpoint(url) {
            StandardStreams.error(
                "mcp-bridge: '\(url)' is not an endpoint's address; one is http://127.0.0.1:8769/mcp\n")
            throw ExitCode.failure
        }
        do {
            return try MCPClient(
                endpoint: try self.url.map { .url($0) }
                    ?? .socket(path: ClientPlaces.trustedSocket("http.sock", environment: environment)),
                token: ClientToken.find(file: self.tokenFile, environment: environment), asking: inbox
            )
        } catch {
            StandardStreams.error("mcp-bridge: \(error)\n")
            throw ExitCode.failure
        }
    }

    /// Whether it is HTTP and names a host.
    static func isEndpoint(_ url: String) -> Bool {
        for scheme in ["http://", "https://"] where url.lowercased().hasPrefix(scheme) {
            return url.dropFirst(scheme.count).first.map { $0 != "/" && $0 != ":" } ?? false
        }
        return false
    }
}

import ArgumentParser
import FoundationEssentials

/// How a command finds the service as an MCP client.
struct ServiceOptions: ParsableArguments {
    @Option(help: "The endpoint, such as http://127.0.0.1:8769/mcp. Default: the service's local Unix socket.")
    var url: String?

    func client() throws -> MCPClient {
        let environment = ProcessInfo.processInfo.environment
        do {
            return try MCPClient(
                endpoint: self.url.map { .url($0) }
                    ?? .socket(path: ClientPlaces.socket("http.sock", environment: environment))
            )
        } catch {
            FileHandleText.standardError("mcp-bridge: \(error)\n")
            throw ExitCode.failure
        }
    }
}

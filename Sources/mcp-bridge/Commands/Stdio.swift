import ArgumentParser
import BridgeConfiguration
import BridgeFiles
import BridgeHTTPClient
import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix

struct Stdio: ParsableCommand {
    enum Names: String, CaseIterable, ExpressibleByArgument { case dot, safe }

    static let configuration = CommandConfiguration(
        abstract: "Carry MCP between standard input and output and a running bridge.",
        discussion: """
            For clients that only start programs. The session outlives restarts of the bridge. While it is \
            away, lists are answered as it last gave them, out of its file where need be \
            (MCP_BRIDGE_TOOL_CACHE_PATH), and calls with what to do. Says what happens on standard error.
            Exit status: 0 when the client closes its end, or after SIGTERM; 1 when the address is none.
            """
    )

    @Option(
        help:
            "The endpoint, such as http://127.0.0.1:8769/mcp. Default: $MCP_BRIDGE_PROXY_URL, else the service's local Unix socket."
    )
    var url: String?

    @Option(help: "A file with the token to show, which nobody else may read. Default: $MCP_BRIDGE_TOKEN, else none.")
    var tokenFile: String?

    @Option(help: "How names are spelled, 'dot' or 'safe'. Default: as the bridge does it for this client.")
    var names: Names?

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        let settings = try self.settings(environment)
        // A client that has gone is seen where its output is written.
        signal(SIGPIPE, SIG_IGN)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var connecting = HTTPConnectionSettings()
        connecting.connectTimeout = .seconds(10)
        let connections = HTTPConnections(on: loop, settings: connecting)
        defer { try? connections.shutdown().wait() }
        let front = try StdioFront(input: STDIN_FILENO, output: STDOUT_FILENO, notes: settings.notes)
        let relay = try loop.submit { NIOLoopBound(StdioRelay(settings, connections, front), eventLoop: loop) }.wait()
        settings.notes.say("started", ["bridge": settings.name])
        front.run(relay, until: [SIGINT, SIGTERM])
        settings.notes.say("ended")
    }

    private func settings(_ environment: [String: String]) throws -> StdioSettings {
        let url = self.url ?? environment["MCP_BRIDGE_PROXY_URL"].flatMap { $0.isEmpty ? nil : $0 }
        if let url, !ServiceOptions.isEndpoint(url) {
            StdioNotes.spoken.say("this is not an endpoint's address; one is http://127.0.0.1:8769/mcp", ["url": url])
            throw ExitCode.failure
        }
        let token: Secret?
        do {
            token = try ClientToken.find(file: self.tokenFile, environment: environment)
        } catch {
            StdioNotes.spoken.say("\(error)")
            throw ExitCode.failure
        }
        let limit = environment["MCP_BRIDGE_PROXY_TIMEOUT_MS"].flatMap { Int64($0) }.flatMap { $0 > 0 ? $0 : nil }
        let place = url.map { StdioSettings.Place.url($0) } ?? .localSocket(environment: environment)
        return StdioSettings(
            place: place, token: token, names: self.names,
            silence: .milliseconds(limit ?? StdioSettings.standardSilence), isSilenceOfCalls: limit != nil,
            warm: self.warmFile(place, environment)
        )
    }

    /// Read once, before anything waits.
    private func warmFile(_ place: StdioSettings.Place, _ environment: [String: String]) -> WarmLists.File? {
        guard let path = StdioSettings.warmFile(place, environment) else { return nil }
        guard let bytes = try? WholeFile.readIfPresent(path, limit: StdioSettings.warmLimit) else { return nil }
        return WarmLists.File(bytes: ByteBuffer(bytes: bytes), names: self.names)
    }
}

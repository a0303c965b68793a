import ArgumentParser
import BridgeConfiguration
import BridgeFiles
import BridgeHTTPClient
import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix

/// Carries MCP between this process's standard input and output and a running bridge, until the client has enough.
struct StdioCommand {
    /// The endpoint; nil: `$MCP_BRIDGE_PROXY_URL`, else the service's local socket.
    let url: String?
    let tokenFile: String?
    var names: Stdio.Names?
    /// Whether the client answers requests for models, by its command's own word.
    var isSource = false

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
            // Not by its text, which may hold a password.
            StdioNotes.spoken.say(
                "this is not an endpoint's address; one is http://127.0.0.1:8769/mcp",
                ["given by": self.url == nil ? "MCP_BRIDGE_PROXY_URL" : "--url"])
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
        var settings = StdioSettings(
            place: place, token: token, names: self.names,
            silence: .milliseconds(limit ?? StdioSettings.standardSilence), isSilenceOfCalls: limit != nil,
            warm: self.warmFile(place, environment)
        )
        settings.isSource = self.isSource
        // Its call of `hook` is never answered: nobody waits for that.
        if self.isSource { settings.farewell = StdioSettings.sourceFarewell }
        return settings
    }

    /// Read once, before anything waits.
    private func warmFile(_ place: StdioSettings.Place, _ environment: [String: String]) -> WarmLists.File? {
        guard let path = StdioSettings.warmFile(place, environment) else { return nil }
        guard let bytes = try? WholeFile.readIfPresent(path, limit: StdioSettings.warmLimit) else { return nil }
        return WarmLists.File(bytes: ByteBuffer(bytes: bytes), names: self.names)
    }
}

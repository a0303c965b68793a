import BridgeConfiguration
import BridgeCore
import Logging

/// Servers that are configured and cannot run: no worker is started for them, and everybody is told why.
extension Supervisor {
    /// As a worker would tell it.
    ///
    /// - Parameter inFull: for who may read the configuration: with each thing that is wrong under `troubles`, and where.
    ///   Others need not know where files lie.
    static func state(of server: TroubledServer, inFull: Bool) -> JSONText {
        JSONWriter.object { state in
            state.member("name", server.name)
            state.member("kind", server.kind)
            state.member("phase", UpstreamPhase.failed.rawValue)
            state.member("connected", false)
            state.member("toolCount", 0)
            state.memberNull("lastConnectedAt")
            state.memberNull("lastToolRefreshAt")
            state.member("lastError", inFull ? server.text : server.advice)
            state.member("reconnectAttempts", 0)
            state.memberNull("nextReconnectAt")
            if inFull { state.member("troubles", server.troubles.map(\.description)) }
        }
    }

    /// - Parameter known: those that have been logged before. The same troubles in another line of the file are no news.
    func logTroubles(except known: [TroubledServer] = []) {
        let known = Dictionary(known.map { ($0.name, $0.troubles.map(\.message)) }, uniquingKeysWith: { $1 })
        for server in self.deployment.failed where known[server.name] != server.troubles.map(\.message) {
            for trouble in server.troubles {
                self.logger.error(
                    "A server cannot run with its configuration; the others are served",
                    metadata: ["mcp.upstream": "\(server.name)", "finding": "\(trouble)"]
                )
            }
        }
    }
}

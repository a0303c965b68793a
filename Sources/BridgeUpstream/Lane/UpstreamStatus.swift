import BridgeCore
import FoundationEssentials
import Glibc

/// An upstream's state, as it is reported to the supervisor and the session worker.
struct UpstreamStatus {
    var name: String
    var kind: String
    var phase: UpstreamPhase
    var isConnected: Bool
    var toolCount: Int
    var lastConnected: Date?
    var lastToolRefresh: Date?
    var lastError: String?
    var attempts: Int
    var nextReconnect: Date?
    var pid: pid_t?
    /// What does not hold although it was configured, for people.
    var notes: [String]

    var text: JSONText {
        JSONWriter.object { status in
            status.member("name", self.name)
            status.member("kind", self.kind)
            status.member("phase", self.phase.rawValue)
            status.member("connected", self.isConnected)
            status.member("toolCount", self.toolCount)
            status.member("lastConnectedAt", self.lastConnected.map(Self.format))
            status.member("lastToolRefreshAt", self.lastToolRefresh.map(Self.format))
            status.member("lastError", self.lastError)
            status.member("reconnectAttempts", self.attempts)
            status.member("nextReconnectAt", self.nextReconnect.map(Self.format))
            status.member("pid", self.pid.map(Int.init))
            if !self.notes.isEmpty { status.member("notes", self.notes) }
        }
    }

    private static func format(_ date: Date) -> String {
        let seconds = date.timeIntervalSince1970.rounded(.down)
        let nanoseconds = (date.timeIntervalSince1970 - seconds) * 1_000_000_000
        return UTCTime(seconds: Int(seconds), nanoseconds: Int(nanoseconds)).description
    }
}

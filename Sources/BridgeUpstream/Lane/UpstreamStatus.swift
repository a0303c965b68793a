import BridgeCore
import FoundationEssentials
import Glibc
import NIOCore

/// An upstream's state, as it is reported to the supervisor and the session worker.
struct UpstreamStatus {
    /// What a client is being asked in the middle of a call.
    struct Question {
        let method: String
        /// A short digest of the client's session.
        let whose: String
        let asked: Date

        init(_ method: String, _ whose: String, asked: NIODeadline) {
            self.method = method
            self.whose = whose
            self.asked = Date().addingTimeInterval(-Double((.now() - asked).nanoseconds) / 1_000_000_000)
        }
    }

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
    /// Whether its calls take turns, as it asks in the middle of them.
    var asks = false
    /// How many children run for one session or principal each.
    var lanes = 0
    /// The one that has waited longest.
    var question: Question?
    /// Of a server that wants tokens.
    var oauth: OAuthReport?

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
            if self.asks { status.member("asks", true) }
            if self.lanes > 0 { status.member("lanes", self.lanes) }
            if let question {
                status.memberObject("question") {
                    $0.member("method", question.method)
                    $0.member("session", question.whose)
                    $0.member("askedAt", Self.format(question.asked))
                }
            }
            if let oauth { status.member("oauth", oauth.json) }
            if !self.notes.isEmpty { status.member("notes", self.notes) }
        }
    }

    private static func format(_ date: Date) -> String {
        let seconds = date.timeIntervalSince1970.rounded(.down)
        let nanoseconds = (date.timeIntervalSince1970 - seconds) * 1_000_000_000
        return UTCTime(seconds: Int(seconds), nanoseconds: Int(nanoseconds)).description
    }
}

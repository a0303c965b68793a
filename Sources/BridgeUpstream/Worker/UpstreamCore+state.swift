import BridgeConfiguration
import BridgeCore
import FoundationEssentials
import NIOCore

extension UpstreamCore {
    /// What is reported to the supervisor and to watchers.
    var state: JSONText {
        let next = self.lifecycle.nextAttempt.map { attempt in
            Date().addingTimeInterval(Double((attempt - .now()).nanoseconds) / 1_000_000_000)
        }
        let notes = (self.child?.notes ?? []) + (self.listFlaw.map { [$0] } ?? [])
        return UpstreamStatus(
            name: self.configuration.name, kind: self.configuration.transport.kind, phase: self.lifecycle.phase,
            isConnected: self.lifecycle.isConnected, toolCount: self.toolCount, lastConnected: self.lastConnected,
            lastToolRefresh: self.lastToolRefresh, lastError: self.lastError, attempts: self.lifecycle.attempts,
            nextReconnect: next, pid: self.pid, notes: notes
        ).text
    }
}

import BridgeConfiguration
import BridgeMCP
import FoundationEssentials
import NIOCore

/// What a lane's status tells beside its machines: it outlasts connections.
struct LaneRecord {
    private struct Listed {
        let count: Int
        let at: Date
        let flaw: String?
    }

    private var lastConnected: Date?
    var lastError: String?
    private var lists: [Offering: Listed] = [:]

    mutating func connected() { self.lastConnected = Date() }

    mutating func listed(_ listing: Listing) {
        self.lists[listing.offering] = Listed(count: listing.count, at: Date(), flaw: listing.flaw)
        self.lastError = nil
    }

    func count(of offering: Offering) -> Int { self.lists[offering]?.count ?? 0 }

    /// - Parameters:
    ///   - connection: from its start until nothing of it is left.
    ///   - isOpen: whether anything can be said over it.
    func status(
        _ configuration: UpstreamConfiguration, _ lifecycle: borrowing UpstreamLifecycle,
        _ connection: (any Connection)?, isOpen: Bool
    ) -> UpstreamStatus {
        let next = lifecycle.nextAttempt.map { attempt in
            Date().addingTimeInterval(Double((attempt - .now()).nanoseconds) / 1_000_000_000)
        }
        // What is wrong with lists that are used all the same.
        let flaws = self.lists.values.compactMap(\.flaw).sorted()
        return UpstreamStatus(
            name: configuration.name, kind: configuration.transport.kind, phase: lifecycle.phase,
            isConnected: lifecycle.isConnected, toolCount: self.count(of: .tools), lastConnected: self.lastConnected,
            lastToolRefresh: self.lists[.tools]?.at, lastError: self.lastError, attempts: lifecycle.attempts,
            nextReconnect: next, pid: isOpen ? connection?.pid : nil, notes: (connection?.notes ?? []) + flaws
        )
    }
}

import BridgeConfiguration
import BridgeCore
import BridgeMCP
import FoundationEssentials
import NIOCore

/// What a lane's status tells beside its machines: it outlasts connections.
struct LaneRecord {
    private struct Listed {
        let listing: Listing
        let at: Date
        let notes: [String]
    }

    private var lastConnected: Date?
    var lastError: String?
    /// Whether ``lastError`` is that somebody has to sign in.
    var needsSignIn = false
    /// The lists that could not be read, over this connection.
    private var failures: [Offering: String] = [:]
    private var lists: [Offering: Listed] = [:]
    /// What there is to be said of how the server treats its lists.
    var remarks: [Offering: String] = [:]

    mutating func connected() {
        self.lastConnected = Date()
        self.needsSignIn = false
        self.remarks = [:]
        self.failures = [:]
    }

    mutating func failed(_ offering: Offering, _ reason: String) {
        self.failures[offering] = reason
        self.lastError = reason
    }

    /// - Returns: the list, with what was there before where a page of it is lost; whether it is another than before; and
    ///   what is to be said of it that was not said before.
    mutating func take(_ listing: Listing) -> (listing: Listing, isNew: Bool, newNotes: [String]) {
        let before = self.lists[listing.offering]
        var listing = listing
        listing.close(after: before?.listing)
        let notes = listing.notes
        self.lists[listing.offering] = Listed(listing: listing, at: Date(), notes: notes)
        self.failures[listing.offering] = nil
        self.lastError = Offering.all.compactMap { self.failures[$0] }.first
        let known = Set(before?.notes ?? [])
        return (listing, before?.listing.entries != listing.entries, notes.filter { !known.contains($0) })
    }

    /// Another server takes its place.
    mutating func replaced() {
        self.lastError = nil
        self.needsSignIn = false
        self.failures = [:]
        self.lists = [:]
        self.remarks = [:]
    }

    func count(of offering: Offering) -> Int { self.lists[offering]?.listing.count ?? 0 }

    /// What is tried again and again changes nothing until somebody has signed in.
    private func phase(_ phase: UpstreamPhase) -> UpstreamPhase {
        switch phase {
        case .backoff, .connecting: self.needsSignIn ? .signIn : phase
        case .ready, .idle, .failed, .stopped, .signIn, .signingIn, .tokensRefused, .misconfigured: phase
        }
    }

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
        let flaws = Offering.all.flatMap { offering in
            (self.remarks[offering].map { [$0] } ?? []) + (self.lists[offering]?.notes ?? [])
        }
        return UpstreamStatus(
            name: configuration.name, kind: configuration.transport.kind, phase: self.phase(lifecycle.phase),
            isConnected: lifecycle.isConnected, toolCount: self.count(of: .tools), lastConnected: self.lastConnected,
            lastToolRefresh: self.lists[.tools]?.at, lastError: self.lastError, attempts: lifecycle.attempts,
            nextReconnect: next, pid: isOpen ? connection?.pid : nil, notes: (connection?.notes ?? []) + flaws
        )
    }
}

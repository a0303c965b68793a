package import NIOCore

/// Shares a number of bytes among callers, so that nobody can take it all: whoever asks for more may hold half of what is
/// then free at most (alone: a third of everything), and waits until enough of it has been let go.
///
/// Pure: times come in. One that waits is refused once nothing of its caller has moved for ``patience``: behind a server
/// that reads slowly everybody's turn comes, behind one that does not read nobody is kept waiting. Pieces below
/// ``smallest`` are not counted here: how many of them there may be is limited elsewhere.
package struct PayloadShares<Caller: Hashable & Sendable>: Sendable {
    package enum Verdict: Equatable, Sendable {
        case granted
        /// ``next(now:)`` or ``expire(now:)`` will name its ticket, unless it is withdrawn.
        case waits
        case refused
    }

    /// Who waits, in the order of their coming.
    private struct Waiter: Sendable {
        let ticket: UInt64
        let caller: Caller
        let octets: Int
        let since: NIODeadline
    }

    private struct Share {
        var octets = 0
        var waiting = 0
        /// When something of it was last granted or let go.
        var moved: NIODeadline
    }

    /// In bytes. A lower one refuses what is asked for next and takes nothing away.
    package var limit: Int
    package let patience: TimeAmount
    package private(set) var held = 0
    private var shares: [Caller: Share] = [:]
    private var waiters: [Waiter] = []

    package init(limit: Int, patience: TimeAmount = .seconds(5)) {
        self.limit = limit
        self.patience = patience
    }

    /// Pieces below this many bytes cost nothing.
    package static var smallest: Int { 16 << 10 }

    package var waitingCount: Int { self.waiters.count }
    /// How many callers hold something or wait.
    package var callerCount: Int { self.shares.count }

    /// - Parameters:
    ///   - ticket: names the wish until it is granted, refused or withdrawn.
    ///   - mayWait: false for what is here already, and would have to be kept while it waits.
    package mutating func ask(
        _ ticket: UInt64, caller: Caller, octets: Int, mayWait: Bool, now: NIODeadline
    ) -> Verdict {
        var share = self.shares[caller] ?? Share(moved: now)
        if share.waiting == 0, self.fits(octets, share.octets) {
            share.octets += octets
            share.moved = now
            self.shares[caller] = share
            self.held += octets
            return .granted
        }
        // What is more than half of everything will not fit later either.
        let isHopeless = octets > self.limit / 2 || (share.octets > 0 && share.moved + self.patience <= now)
        guard mayWait, !isHopeless else { return .refused }
        share.waiting += 1
        self.shares[caller] = share
        self.waiters.append(Waiter(ticket: ticket, caller: caller, octets: octets, since: now))
        return .waits
    }

    /// - Parameter share: what the caller holds already.
    private func fits(_ octets: Int, _ share: Int) -> Bool { share + octets <= (self.limit - self.held) / 2 }

    /// So many granted bytes are not held any more. Then ask ``next(now:)``.
    package mutating func release(caller: Caller, octets: Int, now: NIODeadline) {
        guard var share = self.shares[caller] else { return }
        share.octets -= octets
        share.moved = now
        self.held -= octets
        self.put(share, caller)
    }

    private mutating func put(_ share: Share, _ caller: Caller) {
        self.shares[caller] = share.octets == 0 && share.waiting == 0 ? nil : share
    }

    /// Grants what fits now. Nobody overtakes another wish of the same caller.
    package mutating func next(now: NIODeadline) -> [UInt64] {
        guard !self.waiters.isEmpty else { return [] }
        var granted: [UInt64] = []
        var blocked: Set<Caller> = []
        var left: [Waiter] = []
        for waiter in self.waiters {
            guard var share = self.shares[waiter.caller], !blocked.contains(waiter.caller),
                self.fits(waiter.octets, share.octets)
            else {
                blocked.insert(waiter.caller)
                left.append(waiter)
                continue
            }
            share.octets += waiter.octets
            share.waiting -= 1
            share.moved = now
            self.shares[waiter.caller] = share
            self.held += waiter.octets
            granted.append(waiter.ticket)
        }
        self.waiters = left
        return granted
    }

    /// Takes out, and refuses, those that have waited too long while nothing of their caller moved.
    package mutating func expire(now: NIODeadline) -> [UInt64] {
        let refused = self.waiters.filter { self.expiry(of: $0) <= now }
        guard !refused.isEmpty else { return [] }
        let tickets = Set(refused.map(\.ticket))
        self.waiters.removeAll { tickets.contains($0.ticket) }
        for waiter in refused { self.leave(waiter.caller) }
        return refused.map(\.ticket)
    }

    /// When ``expire(now:)`` has something to say at the earliest.
    package var nextExpiry: NIODeadline? { self.waiters.lazy.map(self.expiry(of:)).min() }

    private func expiry(of waiter: Waiter) -> NIODeadline {
        max(waiter.since, self.shares[waiter.caller]?.moved ?? waiter.since) + self.patience
    }

    /// The wish is taken back. One that does not wait is none.
    package mutating func withdraw(_ ticket: UInt64) {
        guard let index = self.waiters.firstIndex(where: { $0.ticket == ticket }) else { return }
        self.leave(self.waiters.remove(at: index).caller)
    }

    private mutating func leave(_ caller: Caller) {
        guard var share = self.shares[caller] else { return }
        share.waiting -= 1
        self.put(share, caller)
    }
}

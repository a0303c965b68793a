import BridgeCore
import BridgeMCP
import NIOCore

/// Requests that wait for upstreams which have never been listed: lists for all of them, others for the one that has what
/// they name. Confined to the event loop.
final class WaitingRoom {
    struct Request {
        let id: RPCID
        let stream: ClientStream
        let offering: Offering
        /// Of the entry that is waited for; nil of a list.
        let name: String?
        let answer: () -> Void
    }

    /// What becomes of a request that might wait for an upstream.
    enum Outcome {
        case waits
        /// Every upstream has been listed, or will not be soon.
        case pointless
        /// Too many wait already.
        case full
    }

    /// More requests than this do not wait.
    static let maximum = 1_024

    private let directory: Directory
    private let loop: any EventLoop
    private var requests: [Request] = []
    /// When some of them have waited long enough.
    private var alarm: Scheduled<Void>?

    init(_ directory: Directory, loop: any EventLoop) {
        self.directory = directory
        self.loop = loop
    }

    /// - Parameter request: answered later where it waits; else that is the caller's.
    func wait(_ request: Request) -> Outcome {
        self.directory.wake(for: request.offering)
        guard self.directory.awaitedUntil(request.offering, now: .now()) != nil else { return .pointless }
        guard self.requests.count < Self.maximum else { return .full }
        self.requests.append(request)
        self.setAlarm()
        return .waits
    }

    /// What is awaited changes with all that is heard of upstreams. What is not awaited any more is looked at at once.
    private func setAlarm() {
        self.alarm?.cancel()
        let now = NIODeadline.now()
        let ends = Set(self.requests.map(\.offering)).map { self.directory.awaitedUntil($0, now: now) ?? now }
        self.alarm = ends.min().map { end in
            self.loop.assumeIsolated().scheduleTask(deadline: end + .milliseconds(1)) { [weak self] in self?.look() }
        }
    }

    /// Lets go, without an answer, of a caller's request that it does not want any more.
    func drop(_ id: RPCID, of caller: Caller) {
        for request in self.remove({ $0.stream.caller === caller && $0.id == id }) { request.stream.drop() }
    }

    /// Answers as cancelled all that waits for a caller.
    func cancelAll(of caller: Caller) {
        for request in self.remove({ $0.stream.caller === caller }) { request.stream.refuse(request.id, .cancelled) }
    }

    private func remove(_ isMeant: (Request) -> Bool) -> [Request] {
        let meant = self.requests.filter(isMeant)
        if !meant.isEmpty { self.requests.removeAll(where: isMeant) }
        return meant
    }

    /// Answers the requests that need not wait any longer.
    func look() {
        guard !self.requests.isEmpty else { return }
        let offerings = Set(self.requests.map(\.offering))
        // One may rest that was not known to when the request came.
        for offering in offerings { self.directory.wake(for: offering, again: false) }
        let now = NIODeadline.now()
        let awaited = offerings.filter { self.directory.awaitedUntil($0, now: now) != nil }
        // What is due is merged first, which may answer some already.
        for offering in offerings { _ = self.directory.section(offering) }
        let waiting = self.requests
        self.requests = []
        for request in waiting {
            let isListed = request.name.map { self.directory.find($0, of: request.offering) != nil } ?? false
            if isListed || !awaited.contains(request.offering) {
                request.answer()
            } else {
                self.requests.append(request)
            }
        }
        self.setAlarm()
    }
}

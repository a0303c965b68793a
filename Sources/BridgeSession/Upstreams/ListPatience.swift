import BridgeConfiguration
import BridgeCore
import NIOCore

/// How long lists wait for an upstream that has never been listed, from its start on. Pure.
///
/// Most clients list once, and one that is given nothing has nothing: as long as nobody has listed anything, a list waits
/// longer for those that are being started.
struct ListPatience {
    private static let factorOfBare = 3.0

    private let end: NIODeadline
    private let endOfBare: NIODeadline

    init(_ listWait: Seconds, from start: NIODeadline) {
        self.end = start + listWait.timeAmount
        self.endOfBare = start + Seconds(listWait.rawValue * Self.factorOfBare).timeAmount
    }

    /// Until when a list waits for an upstream in this phase; nil where it does not.
    ///
    /// - Parameter isBare: whether nobody has listed anything yet.
    func end(in phase: UpstreamPhase, isBare: Bool, now: NIODeadline) -> NIODeadline? {
        let end: NIODeadline
        switch phase {
        case .connecting: end = isBare ? self.endOfBare : self.end
        case .ready, .idle: end = self.end
        case .backoff, .failed, .stopped, .signIn, .signingIn, .tokensRefused, .misconfigured: return nil
        }
        return now < end ? end : nil
    }
}

package import BridgeCore

/// How an upstream or a worker is doing, as a status shows it in one word. An upstream is what its worker says of it; where
/// the worker says nothing, it is what the worker itself is.
package enum ShownPhase: Sendable, Equatable {
    case upstream(UpstreamPhase)
    case worker(WorkerLifecycle.Phase)

    /// Reads an upstream's word. `ready`, `idle`, `failed` and `stopped` are the upstream's own, though workers have them too.
    package init?(ofUpstream word: String) {
        if let phase = UpstreamPhase(rawValue: word) {
            self = .upstream(phase)
        } else if let phase = WorkerLifecycle.Phase(rawValue: word) {
            self = .worker(phase)
        } else {
            return nil
        }
    }

    package var word: String {
        switch self {
        case .upstream(let phase): phase.rawValue
        case .worker(let phase): phase.rawValue
        }
    }

    /// Whether something is wrong, and not merely still starting.
    package var isTroubled: Bool {
        switch self {
        case .upstream(.backoff), .upstream(.failed), .upstream(.signIn), .upstream(.signingIn),
            .upstream(.tokensRefused), .upstream(.misconfigured):
            true
        case .upstream(.connecting), .upstream(.ready), .upstream(.idle), .upstream(.stopped): false
        case .worker(.waiting), .worker(.failed), .worker(.refused): true
        case .worker(.idle), .worker(.starting), .worker(.ready), .worker(.stopping), .worker(.stopped): false
        }
    }
}

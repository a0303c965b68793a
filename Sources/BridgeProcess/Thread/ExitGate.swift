import Synchronization

/// Holds an exit back until somebody is ready for it.
final class ExitGate: Sendable {
    private enum State {
        case closed
        case held(ExitStatus)
        case open
    }

    private let state = Mutex(State.closed)
    private let onExit: @Sendable (ExitStatus) -> Void

    init(_ onExit: @escaping @Sendable (ExitStatus) -> Void) {
        self.onExit = onExit
    }

    func exited(_ status: ExitStatus) {
        let passes = self.state.withLock { state in
            guard case .open = state else {
                state = .held(status)
                return false
            }
            return true
        }
        if passes { self.onExit(status) }
    }

    func open() {
        let held: ExitStatus? = self.state.withLock { state in
            defer { state = .open }
            guard case .held(let status) = state else { return nil }
            return status
        }
        if let held { self.onExit(held) }
    }
}

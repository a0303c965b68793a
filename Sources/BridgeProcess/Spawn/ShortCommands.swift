import Glibc
import Synchronization

/// The ``ShortCommand``s of a process that run now, for whoever ends what is nobody's child.
package final class ShortCommands: Sendable {
    private let running = Mutex<Set<pid_t>>([])

    package init() {}

    /// - Parameter start: starts one, and returns its number.
    func add(_ start: () -> pid_t?) {
        self.running.withLock { running in
            if let process = start() { running.insert(process) }
        }
    }

    /// To be called before it is reaped: later its number may be another's.
    func remove(_ process: pid_t) {
        self.running.withLock { _ = $0.remove(process) }
    }

    /// Looks for processes while no command starts, so that none is found whose number is not known yet.
    func find(_ look: (_ running: Set<pid_t>) -> Set<ProcessIdentity>) -> Set<ProcessIdentity> {
        self.running.withLock { look($0) }
    }
}

import CSpawn

/// How a process ended. None of these is an error by itself.
package enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    /// By itself, with this code (0...255). -1: nobody knows, because somebody else in this process reaped it.
    case exited(CInt)
    /// By a signal that it did not handle.
    case signaled(CInt, coreDumped: Bool)

    init(_ exit: cspawn_exit) {
        self =
            exit.signaled != 0
            ? .signaled(exit.status, coreDumped: exit.core_dumped != 0)
            : .exited(exit.status)
    }

    package var description: String {
        switch self {
        case .exited(let code): "exited with code \(code)"
        case .signaled(let signal, coreDumped: true): "killed by signal \(signal), core dumped"
        case .signaled(let signal, coreDumped: false): "killed by signal \(signal)"
        }
    }
}

package import BridgeFiles
import CSpawn

/// Makes this process the one that its orphaned descendants fall to, instead of process 1.
package enum Subreaper {
    /// Lasts until the process ends, and is not inherited. ``ProcessThread`` reaps the adopted from then on.
    package static func enable() throws(SystemCallError) {
        guard cspawn_enable_subreaper() == 0 else { throw SystemCallError("prctl", "PR_SET_CHILD_SUBREAPER") }
    }

    static var isEnabled: Bool { cspawn_is_subreaper() != 0 }
}

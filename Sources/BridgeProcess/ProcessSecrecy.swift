package import BridgeFiles
import CSpawn

/// Keeps what is in this process's memory from other processes of the same user.
package enum ProcessSecrecy {
    /// From now on there is no core of this process, not even through a piped `core_pattern`, which no limit stops; nobody
    /// but root may trace it, or read its environment, memory and descriptors in `/proc`.
    ///
    /// Lasts until a program is executed: children are as they would be anyway. Its own `/proc/self` stays open to this
    /// process, but for files that take the owner to be written, such as `comm`.
    package static func enable() throws(SystemCallError) {
        guard cspawn_make_undumpable() == 0 else { throw SystemCallError("prctl", "PR_SET_DUMPABLE") }
    }

    /// What `GLIBC_TUNABLES` says to a process that is to overwrite all memory as it frees it, so that no token outlives its use
    /// there. Without the allocator's quick lists, which take blocks back as they are. It has to be in the environment when
    /// the program is executed, and costs a little of each allocation.
    package static let wipingTunables = "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0"

    static var isEnabled: Bool { cspawn_is_dumpable() == 0 }
}

package import BridgeFiles
import Glibc

/// How many files a process may have open.
package struct DescriptorLimit: Hashable, Sendable {
    package var soft: UInt64
    /// `UInt64.max` is no limit.
    package var hard: UInt64

    package init(soft: UInt64, hard: UInt64) {
        self.soft = soft
        self.hard = hard
    }

    package static func current() throws(SystemCallError) -> DescriptorLimit {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw SystemCallError("getrlimit", "RLIMIT_NOFILE")
        }
        return DescriptorLimit(soft: UInt64(limit.rlim_cur), hard: UInt64(limit.rlim_max))
    }

    /// Raises this process's soft limit to the hard one.
    ///
    /// - Returns: The limit as it was, which children should get back: some programs use select(2), and some close
    ///   every number up to the limit.
    package static func raise() throws(SystemCallError) -> DescriptorLimit {
        let before = try Self.current()
        guard before.soft < before.hard else { return before }
        var limit = rlimit(rlim_cur: rlim_t(before.hard), rlim_max: rlim_t(before.hard))
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw SystemCallError("setrlimit", "RLIMIT_NOFILE")
        }
        return before
    }
}

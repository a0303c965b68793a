import FoundationEssentials
import Glibc

/// The watchdog that the process above keeps on this one.
package enum Watchdog {
    /// The time within which each `WATCHDOG=1` must follow the last; send at half of it.
    ///
    /// - Returns: `nil` when nobody watches, or `WATCHDOG_PID` says that another process is watched.
    package static func interval(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        processID: Int32 = getpid()
    ) -> Duration? {
        guard let microseconds = environment["WATCHDOG_USEC"].flatMap({ Int64($0) }), microseconds > 0 else {
            return nil
        }
        if let watched = environment["WATCHDOG_PID"], Int32(watched) != processID { return nil }
        return .microseconds(microseconds)
    }
}

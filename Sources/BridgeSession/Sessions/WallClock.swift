import BridgeCore
import Glibc

/// The wall clock, for what is compared across restarts.
enum WallClock {
    /// Seconds since 1970.
    static func seconds() -> UInt64 { UInt64(max(0, time(nil))) }

    /// To the second.
    static func now() -> UTCTime { UTCTime(seconds: time(nil)) }
}

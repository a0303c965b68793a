import Glibc

/// The wall clock, for what is compared across restarts.
enum WallClock {
    /// Seconds since 1970.
    static func seconds() -> UInt64 { UInt64(max(0, time(nil))) }

    /// The time as ISO 8601 in UTC, to the second.
    static func iso8601() -> String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
            + "T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).000Z"
    }
}

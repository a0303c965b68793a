import Glibc

/// The time of day, by which tokens expire and limits are counted over restarts.
enum WallClock {
    /// Since 1970.
    static func microseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
    }

    static func seconds() -> Int { Int(Self.microseconds() / 1_000_000) }

    /// Since 1970, of UTC.
    static func day(of microseconds: Int64) -> Int { Int(microseconds / 86_400_000_000) }
}

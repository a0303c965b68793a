import Glibc

/// The time of day, for what servers write as a date.
enum WallClock {
    /// Since 1970.
    static var seconds: Int { time(nil) }
}

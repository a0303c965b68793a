import Glibc

/// A point in time as log records carry it.
package struct LogTime: Hashable, Sendable {
    /// Since 1970, UTC.
    package let seconds: Int
    package let nanoseconds: Int

    package init(seconds: Int, nanoseconds: Int) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package static func now() -> LogTime {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return LogTime(seconds: now.tv_sec, nanoseconds: now.tv_nsec)
    }

    /// ISO 8601 in UTC with milliseconds, as JavaScript's `toISOString` writes it: `2026-07-28T09:05:03.007Z`.
    package func write(to buffer: inout [UInt8]) {
        var seconds = self.seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        Self.write(Int(parts.tm_year) + 1_900, digits: 4, to: &buffer)
        Self.write(Int(parts.tm_mon) + 1, digits: 2, after: "-", to: &buffer)
        Self.write(Int(parts.tm_mday), digits: 2, after: "-", to: &buffer)
        Self.write(Int(parts.tm_hour), digits: 2, after: "T", to: &buffer)
        Self.write(Int(parts.tm_min), digits: 2, after: ":", to: &buffer)
        Self.write(Int(parts.tm_sec), digits: 2, after: ":", to: &buffer)
        Self.write(self.nanoseconds / 1_000_000, digits: 3, after: ".", to: &buffer)
        buffer.append(UInt8(ascii: "Z"))
    }

    private static func write(
        _ number: Int,
        digits: Int,
        after separator: Unicode.Scalar? = nil,
        to buffer: inout [UInt8]
    ) {
        if let separator { buffer.append(UInt8(ascii: separator)) }
        var divisor = (1..<digits).reduce(1) { product, _ in product * 10 }
        while divisor > 0 {
            buffer.append(UInt8(ascii: "0") + UInt8(abs(number) / divisor % 10))
            divisor /= 10
        }
    }
}

import CNIOLinux
import Glibc

/// Times as ISO 8601 writes them, without a calendar library.
enum DemoClock {
    static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec
    }

    /// Seconds east of Greenwich, from `+02:00` or `-09:30`.
    static func offset(_ name: String) -> Int? {
        let bytes = Array(name.utf8)
        guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"),
            bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"),
            [1, 2, 4, 5].allSatisfy({ (0x30...0x39).contains(bytes[$0]) })
        else { return nil }
        let hours = Int(bytes[1] - 0x30) * 10 + Int(bytes[2] - 0x30)
        let minutes = Int(bytes[4] - 0x30) * 10 + Int(bytes[5] - 0x30)
        guard hours < 24, minutes < 60 else { return nil }
        return (bytes[0] == UInt8(ascii: "-") ? -1 : 1) * (hours * 3600 + minutes * 60)
    }

    /// `2026-07-28T12:00:00Z`, or with an offset `2026-07-28T14:00:00+02:00`.
    static func text(secondsSince1970 seconds: Int, offset: Int?) -> String {
        var local = time_t(seconds + (offset ?? 0))
        var parts = tm()
        gmtime_r(&local, &parts)
        let date = [
            Self.digits(Int(parts.tm_year) + 1900, 4), Self.digits(Int(parts.tm_mon) + 1),
            Self.digits(Int(parts.tm_mday)),
        ]
        let time = [Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec)].map { Self.digits($0) }
        let zone = offset.map {
            ($0 < 0 ? "-" : "+") + Self.digits(abs($0) / 3600) + ":" + Self.digits(abs($0) / 60 % 60)
        }
        return date.joined(separator: "-") + "T" + time.joined(separator: ":") + (zone ?? "Z")
    }

    private static func digits(_ number: Int, _ width: Int = 2) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}

import Glibc

/// The `Date` header, made once a second at most. Confined to the event loop.
final class HTTPDate {
    private var second: time_t = -1
    private var made = ""

    /// The whole line, with its end.
    var line: String {
        let now = time(nil)
        if now != self.second {
            self.second = now
            self.made = "Date: \(Self.format(now))\r\n"
        }
        return self.made
    }

    /// RFC 9110's fixed-length form, whatever the locale: `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func format(_ time: time_t) -> String {
        var time = time
        var parts = tm()
        gmtime_r(&time, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let day = days[Int(parts.tm_wday)]
        let month = months[Int(parts.tm_mon)]
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map(Self.two).joined(separator: ":")
        return "\(day), \(Self.two(parts.tm_mday)) \(month) \(1900 + parts.tm_year) \(clock) GMT"
    }

    private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

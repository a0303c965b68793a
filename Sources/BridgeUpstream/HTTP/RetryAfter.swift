import NIOCore
import NIOHTTP1

/// `Retry-After` (RFC 9110, 10.2.3): a number of seconds, or a date. Pure.
enum RetryAfter {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    /// A message is held back for so many seconds; who wants more patience than that is told on.
    static let longestWait = 5
    /// Nobody waits for longer, whatever is said.
    private static let most = 86_400

    /// - Parameter now: in seconds since 1970.
    /// - Returns: in how many seconds; `nil` where nothing is said that can be understood.
    static func seconds(_ headers: HTTPHeaders, now: Int) -> Int? {
        guard let text = headers.first(name: "Retry-After")?.trimmingBlanks, !text.isEmpty else { return nil }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return min(Int(text) ?? Self.most, Self.most) }
        return Self.date(text).map { min(max($0 - now, 0), Self.most) }
    }

    /// - Returns: a time in whole seconds, none of it left out.
    static func seconds(_ time: TimeAmount) -> Int { Int((time.nanoseconds + 999_999_999) / 1_000_000_000) }

    /// - Returns: what is said of a server, with the seconds that it has named.
    static func words(_ reason: String, _ seconds: Int?) -> String {
        seconds.map { "\(reason), and wants to be asked again in \($0) s" } ?? reason
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`. The two older forms have been out of use for longer than MCP exists.
    private static func date(_ text: String) -> Int? {
        let parts = text.split { $0 == " " || $0 == "," || $0 == ":" || $0 == "-" }
        guard parts.count == 8, let day = Int(parts[1]), let month = Self.months.firstIndex(of: String(parts[2])),
            let year = Int(parts[3]), let hour = Int(parts[4]), let minute = Int(parts[5]), let second = Int(parts[6]),
            (1...31).contains(day), (1970...9999).contains(year), (0...23).contains(hour), (0...59).contains(minute),
            (0...60).contains(second)
        else { return nil }
        return Self.days(year, month + 1, day) * 86_400 + hour * 3_600 + minute * 60 + second
    }

    /// Since 1970, in the Gregorian calendar. Years begin in March, so that the day that some have is their last.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension String {
    /// Without blanks and tabs around it.
    var trimmingBlanks: String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        guard let first = self.firstIndex(where: { !isBlank($0) }), let last = self.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(self[first...last])
    }
}

/// A point in time, as ISO 8601 writes it. The Gregorian calendar without a library.
package struct UTCTime: Hashable, Sendable, CustomStringConvertible {
    /// Since 1970.
    package let seconds: Int
    package let nanoseconds: Int

    package init(seconds: Int, nanoseconds: Int = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// With milliseconds, as JavaScript's `toISOString` writes it: `2026-07-28T09:05:03.007Z`.
    package var description: String {
        "\(Self.dateAndTime(self.seconds)).\(Self.digits(self.nanoseconds / 1_000_000, 3))Z"
    }

    /// Without fractions: `2026-07-28T12:00:00Z`, or with so many seconds east of Greenwich `2026-07-28T14:00:00+02:00`.
    package func text(offset: Int? = nil) -> String {
        guard let offset else { return Self.dateAndTime(self.seconds) + "Z" }
        let zone = "\(offset < 0 ? "-" : "+")\(Self.digits(abs(offset) / 3_600)):\(Self.digits(abs(offset) / 60 % 60))"
        return Self.dateAndTime(self.seconds + offset) + zone
    }

    /// Reads what ``text(offset:)`` writes for Greenwich: `2026-07-28T12:00:00Z`, with or without a fraction, which is left out.
    package init?(reading text: String) {
        let parts = text.split { "-T:.Z".contains($0) }.map { Int($0) }
        guard text.hasSuffix("Z"), parts.count >= 6, let year = parts[0], let month = parts[1], let day = parts[2],
            let hour = parts[3], let minute = parts[4], let second = parts[5], (1970...9999).contains(year),
            (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour), (0...59).contains(minute),
            (0...60).contains(second)
        else { return nil }
        let shifted = month > 2 ? year : year - 1
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        self.init(seconds: days * 86_400 + hour * 3_600 + minute * 60 + second)
    }

    private static func dateAndTime(_ seconds: Int) -> String {
        let second = seconds.remainder(86_400)
        let date = Self.date((seconds - second) / 86_400)
        return "\(Self.digits(date.year, 4))-\(Self.digits(date.month))-\(Self.digits(date.day))T"
            + "\(Self.digits(second / 3_600)):\(Self.digits(second / 60 % 60)):\(Self.digits(second % 60))"
    }

    /// The date of a day counted from 1 January 1970. Years begin with March here, so that a leap day is a year's last.
    private static func date(_ day: Int) -> (year: Int, month: Int, day: Int) {
        let sinceMarch0 = day + 719_468
        let dayOfEra = sinceMarch0.remainder(146_097)
        let era = (sinceMarch0 - dayOfEra) / 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let isNextYear = month >= 10
        return (
            yearOfEra + era * 400 + (isNextYear ? 1 : 0), isNextYear ? month - 9 : month + 3,
            dayOfYear - (153 * month + 2) / 5 + 1
        )
    }

    private static func digits(_ number: Int, _ width: Int = 2) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}

extension Int {
    /// From 0 up to the divisor, also of a negative number.
    fileprivate func remainder(_ divisor: Int) -> Int {
        let rest = self % divisor
        return rest < 0 ? rest + divisor : rest
    }
}

/// The formats that a form may ask a text to have (client/elicitation, "String Schema").
package enum TextFormat: String, Sendable, Hashable, CaseIterable {
    case email, uri, date
    case dateTime = "date-time"

    /// What is asked for, with an example.
    var words: String {
        switch self {
        case .email: "an e-mail address, such as ada@example.com"
        case .uri: "a URI, such as https://example.com/"
        case .date: "a date, such as 2026-01-31"
        case .dateTime: "a date and time with its offset, such as 2026-01-31T09:30:00Z"
        }
    }

    func fits(_ text: String) -> Bool {
        switch self {
        case .email: Self.isEmail(text)
        case .uri: Self.isURI(text)
        case .date: Self.isDate(Substring(text))
        case .dateTime: Self.isDateTime(text)
        }
    }

    /// Something, one `@`, and a domain. What else an address may be is for the server that writes to it.
    private static func isEmail(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !text.contains(where: \.isWhitespace) else { return false }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy { !$0.isEmpty && $0.first != "-" && $0.last != "-" }
    }

    /// RFC 3986: a scheme, and only what a URI may be written with.
    private static func isURI(_ text: String) -> Bool {
        guard let colon = text.firstIndex(of: ":"), let first = text.first, first.isASCII, first.isLetter else {
            return false
        }
        let isScheme = text[..<colon].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
        let rest = text[text.index(after: colon)...]
        return isScheme && !rest.isEmpty
            && rest.unicodeScalars.allSatisfy {
                $0.isASCII && $0.value > 0x20 && !"\"<>\\^`{|}\u{7F}".unicodeScalars.contains($0)
            }
    }

    /// RFC 3339, `full-date`: a day that there is.
    private static func isDate(_ text: Substring) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2], let year = Self.number(parts[0]), let month = Self.number(parts[1]),
            let day = Self.number(parts[2]), (1...12).contains(month)
        else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...days[month - 1]).contains(day)
    }

    /// RFC 3339, `date-time`.
    private static func isDateTime(_ text: String) -> Bool {
        guard let mark = text.firstIndex(where: { $0 == "T" || $0 == "t" }), Self.isDate(text[..<mark]) else {
            return false
        }
        var time = text[text.index(after: mark)...]
        if let last = time.last, last == "Z" || last == "z" {
            time = time.dropLast()
        } else {
            let offset = time.suffix(6)
            guard let sign = offset.first, sign == "+" || sign == "-", Self.isClock(offset.dropFirst(), parts: 2) else {
                return false
            }
            time = time.dropLast(6)
        }
        let pieces = time.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(pieces.count), Self.isClock(pieces[0], parts: 3) else { return false }
        return pieces.count == 1 || Self.number(pieces[1]) != nil
    }

    /// `09:30`, `09:30:00`; a second of 60 is a leap second.
    private static func isClock(_ text: Substring, parts count: Int) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == count else { return false }
        return zip(parts, [23, 59, 60]).allSatisfy { part, most in
            part.utf8.count == 2 && Self.number(part).map { $0 <= most } ?? false
        }
    }

    /// Digits and nothing else; of many, the first eighteen.
    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text.prefix(18)) : nil
    }
}

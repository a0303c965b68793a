/// Numbers with a unit, as people write them.
package enum Quantity {
    /// `500ms`, `30s`, `1.5m` or `90min`, `1h`, `7d`, and a bare number of seconds.
    package static func seconds(_ text: String) -> Double? {
        let (number, unit) = self.split(text)
        guard let number else { return nil }
        switch unit {
        case "ms": return number / 1_000
        case "", "s", "sec": return number
        case "m", "min": return number * 60
        case "h": return number * 3_600
        case "d": return number * 86_400
        default: return nil
        }
    }

    /// `512K`, `4M`, `2G`, with or without `B` or `iB`, in powers of 1,024 as systemd reads them.
    static func bytes(_ text: String) -> Int? {
        let (number, unit) = self.split(text)
        guard let number, number >= 0 else { return nil }
        let factor: Double
        switch unit.lowercased() {
        case "", "b": factor = 1
        case "k", "kb", "kib": factor = 1_024
        case "m", "mb", "mib": factor = 1_048_576
        case "g", "gb", "gib": factor = 1_073_741_824
        case "t", "tb", "tib": factor = 1_099_511_627_776
        default: return nil
        }
        return Int(exactly: (number * factor).rounded())
    }

    /// `150%`, and a bare number of percent.
    static func percent(_ text: String) -> Double? {
        let (number, unit) = self.split(text)
        return unit.isEmpty || unit == "%" ? number : nil
    }

    private static func split(_ text: String) -> (Double?, String) {
        let text = String(text.filter { $0 != " " })
        let end = text.firstIndex { !($0.isASCII && $0.isNumber) && $0 != "." } ?? text.endIndex
        return (Double(text[..<end]), String(text[end...]))
    }
}

import BridgeCore

extension ConfigurationNode {
    func string(_ report: inout ConfigurationReport) -> String? {
        guard let string = self.text.string else {
            report.error(self, "must be a string, not \(self.kindWords).")
            return nil
        }
        guard !string.utf8.contains(0) else {
            report.error(self, "contains a NUL character, which no process or path can take.")
            return nil
        }
        return string
    }

    func nonEmptyString(_ report: inout ConfigurationReport) -> String? {
        guard let string = self.string(&report) else { return nil }
        if string.isEmpty { report.error(self, "must not be empty.") }
        return string.isEmpty ? nil : string
    }

    func bool(_ report: inout ConfigurationReport) -> Bool? {
        guard let bool = self.text.bool else {
            report.error(self, "must be true or false, not \(self.kindWords).", remedy: "Write it without quotes.")
            return nil
        }
        return bool
    }

    func int(in range: ClosedRange<Int>, _ report: inout ConfigurationReport) -> Int? {
        guard let int = self.text.int, range.contains(int) else {
            let words =
                range.upperBound == .max
                ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
            report.error(self, "must be a whole number \(words).")
            return nil
        }
        return int
    }

    /// A number of seconds, or a text such as `500ms`, `30s`, `5m`, `1h`, `7d`.
    func seconds(allowsZero: Bool = false, _ report: inout ConfigurationReport) -> Seconds? {
        let value = self.text.double ?? self.text.string.flatMap(Quantity.seconds)
        guard let value, value > 0 || (allowsZero && value == 0), value <= Seconds.longest.rawValue else {
            report.error(
                self, "must be a time \(allowsZero ? "of 0 or more" : "above 0").",
                remedy: "Write seconds as a number, or a text such as \"500ms\", \"30s\", \"5m\", \"1h\" or \"7d\"."
            )
            return nil
        }
        return Seconds(value)
    }

    /// A number of bytes, or a text such as `512K`, `4M`, `2G` (powers of 1,024).
    func byteCount(atLeast minimum: Int, _ report: inout ConfigurationReport) -> Int? {
        let value = self.text.int ?? self.text.string.flatMap(Quantity.bytes)
        guard let value, value >= minimum else {
            report.error(
                self, "must be a size of at least \(minimum) bytes.",
                remedy: "Write bytes as a number, or a text such as \"512K\", \"4M\" or \"2G\"."
            )
            return nil
        }
        return value
    }

    /// One of an enumeration's words.
    func word<Word: RawRepresentable & CaseIterable>(
        _ type: Word.Type, _ report: inout ConfigurationReport
    ) -> Word? where Word.RawValue == String {
        guard let string = self.string(&report) else { return nil }
        if let word = Word(rawValue: string) { return word }
        let words = Word.allCases.map(\.rawValue)
        let nearest = EditDistance.nearest(to: string, among: words) ?? ""
        report.error(
            self, "must be one of \(words.map { "'\($0)'" }.joined(separator: ", ")).",
            remedy: "The nearest is '\(nearest)'."
        )
        return nil
    }

    /// An array of strings; a single string counts as an array of one.
    func strings(_ report: inout ConfigurationReport) -> [String]? {
        if self.kind == .string { return self.string(&report).map { [$0] } }
        guard self.kind == .array else {
            report.error(self, "must be an array of strings, not \(self.kindWords).")
            return nil
        }
        return self.elements.compactMap { $0.string(&report) }
    }
}

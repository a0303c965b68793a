package import BridgeCore
import NIOCore

// What a person may write, and what it means.

extension ElicitationField {
    /// Why a line is no answer, for the person who wrote it.
    package struct Complaint: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String

        package init(_ description: String) { self.description = description }
    }

    /// What a line stands for.
    package func value(of line: String) throws(Complaint) -> JSONText {
        guard !line.unicodeScalars.contains(where: { $0.properties.generalCategory == .control && $0 != "\t" }) else {
            throw Complaint("There is a control character in it, as of an arrow key. Please write it again.")
        }
        let value =
            switch self.kind {
            case .text: JSONText(line == "\"\"" ? "" : line)
            case .number(let isWhole, _, _): try Self.number(line, isWhole: isWhole)
            case .boolean: try Self.boolean(line)
            case .choice(let choices): choices[try Self.position(of: Self.trimmed(line), in: choices)].value
            case .choices(let choices, _, _): try Self.several(line, of: choices)
            }
        if let problem = self.problem(with: value) { throw Complaint(problem) }
        return value
    }

    /// Why a value does not fit the schema; `nil` when it does.
    func problem(with value: JSONText) -> String? {
        switch self.kind {
        case .text(let minimum, let maximum, let format):
            guard let text = value.string else { return "It must be a text." }
            return Self.problem(text, minimum, maximum, format)
        case .number(let isWhole, let minimum, let maximum):
            guard value.kind == .number else { return "It must be a number." }
            if isWhole, !Self.isWhole(value) { return "It must be a whole number, such as 3." }
            if let minimum, Self.isLess(value, minimum) { return "It must be \(minimum) or more." }
            if let maximum, Self.isLess(maximum, value) { return "It must be \(maximum) or less." }
            return nil
        case .boolean: return value.bool == nil ? "It must be yes or no." : nil
        case .choice(let choices):
            return choices.contains { Self.isSame($0.value, value) } ? nil : "It must be one of the choices."
        case .choices(let choices, let minimum, let maximum):
            guard value.kind == .array else { return "It must be some of the choices." }
            var chosen: [JSONText] = []
            value.elements { chosen.append(value[$0]) }
            let isKnown = chosen.allSatisfy { one in choices.contains { Self.isSame($0.value, one) } }
            guard isKnown else { return "It must be some of the choices." }
            if let minimum, chosen.count < minimum { return "At least \(minimum) must be chosen." }
            if let maximum, chosen.count > maximum { return "At most \(maximum) may be chosen." }
            return nil
        }
    }

    private static func problem(_ text: String, _ minimum: Int?, _ maximum: Int?, _ format: TextFormat?) -> String? {
        let length = text.unicodeScalars.count
        if let minimum, length < minimum {
            return "It must have \(minimum) characters or more; this has \(length)."
        }
        if let maximum, length > maximum { return "It must have \(maximum) characters or less; this has \(length)." }
        if let format, !format.fits(text) { return "It must be \(format.words)." }
        return nil
    }
}

// Lines.
extension ElicitationField {
    private static func trimmed(_ line: String) -> String {
        var line = line[...]
        while line.first?.isWhitespace == true { line = line.dropFirst() }
        while line.last?.isWhitespace == true { line = line.dropLast() }
        return String(line)
    }

    /// As JSON spells it, with its digits as they were typed.
    private static func number(_ line: String, isWhole: Bool) throws(Complaint) -> JSONText {
        guard let text = try? JSONText(validating: ByteBuffer(string: Self.trimmed(line))), text.kind == .number else {
            throw Complaint(
                isWhole ? "It must be a whole number, such as 3." : "It must be a number, such as 3 or 1.5.")
        }
        return text
    }

    private static func boolean(_ line: String) throws(Complaint) -> JSONText {
        switch Self.trimmed(line).lowercased() {
        case "y", "yes", "true": return .true
        case "n", "no", "false": return .false
        default: throw Complaint("It must be yes or no.")
        }
    }

    /// By its number, else by its title or value: as they are written, else by the only one that differs in the case of
    /// letters alone.
    private static func position(of word: String, in choices: [Choice]) throws(Complaint) -> Int {
        if let number = Int(word), choices.indices.contains(number - 1) { return number - 1 }
        let exact = choices.firstIndex { $0.title == word || Self.words($0.value) == word }
        if let exact { return exact }
        let alike = choices.indices.filter { index in
            let names = [choices[index].title, Self.words(choices[index].value)]
            return names.contains { $0.lowercased() == word.lowercased() }
        }
        guard alike.count == 1 else {
            throw Complaint("There is no choice '\(word)'. They are numbered 1 to \(choices.count).")
        }
        return alike[0]
    }

    /// Numbers or words between commas, or numbers between blanks; `0` is none of them. Each counts once, and they are
    /// answered in the order of the form.
    private static func several(_ line: String, of choices: [Choice]) throws(Complaint) -> JSONText {
        let line = Self.trimmed(line)
        var words = line.split(separator: ",").map { Self.trimmed(String($0)) }.filter { !$0.isEmpty }
        let pieces = line.split(whereSeparator: \.isWhitespace).map(String.init)
        if words.count == 1, pieces.allSatisfy({ Int($0) != nil }) { words = pieces }
        var chosen: Set<Int> = []
        if words != ["0"] {
            for word in words { chosen.insert(try Self.position(of: word, in: choices)) }
        }
        return JSONWriter.array { list in for index in chosen.sorted() { list.element(choices[index].value) } }
    }
}

// Numbers.
extension ElicitationField {
    /// Without a fraction, as it is written: `3`, not `3.0`, which some readers do not take for an integer.
    private static func isWhole(_ number: JSONText) -> Bool {
        number.bytes.readableBytesView.allSatisfy { $0 == UInt8(ascii: "-") || (48...57).contains($0) }
    }

    /// Exact for integers; one beyond `Int` is compared as the nearest `Double`.
    private static func isLess(_ one: JSONText, _ other: JSONText) -> Bool {
        if let one = one.int, let other = other.int { return one < other }
        return Self.double(one) < Self.double(other)
    }

    private static func double(_ number: JSONText) -> Double {
        number.double ?? ("\(number)".hasPrefix("-") ? -.infinity : .infinity)
    }

    private static func isSame(_ one: JSONText, _ other: JSONText) -> Bool {
        if let one = one.string, let other = other.string { return one == other }
        return one == other
    }
}

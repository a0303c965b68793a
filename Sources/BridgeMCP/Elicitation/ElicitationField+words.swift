import BridgeCore

// How a field is shown to whoever fills it in.

extension ElicitationField {
    /// Its lines above the prompt, without the foreign text's own line breaks.
    func lines(position: Int, of count: Int) -> [String] {
        var lines = ["\(position)/\(count)  \(PrintableText.line(self.label))"]
        if let description { lines += PrintableText.lines(description).map { "     | \($0)" } }
        lines.append("     (\(self.demand)\(self.isRequired ? "" : ", optional"))")
        switch self.kind {
        case .choice(let choices), .choices(let choices, _, _):
            for (index, choice) in choices.enumerated() {
                lines.append("     \(index + 1)) \(PrintableText.line(choice.title))")
            }
        case .text, .number, .boolean: break
        }
        return lines
    }

    /// What an empty line means stands before the mark.
    var prompt: String {
        guard let standard else { return "> " }
        return "[\(PrintableText.line(self.shown(standard)))] > "
    }

    /// A value of this field as it is shown.
    func shown(_ value: JSONText) -> String {
        switch self.kind {
        case .boolean: value.bool.map { $0 ? "yes" : "no" } ?? "\(value)"
        case .choice(let choices): Self.title(of: value, in: choices)
        case .choices(let choices, _, _): Self.titles(of: value, in: choices)
        case .text: value.string.map { $0.isEmpty ? "\"\"" : $0 } ?? "\(value)"
        case .number: "\(value)"
        }
    }

    private static func title(of value: JSONText, in choices: [Choice]) -> String {
        choices.first { Self.words($0.value) == Self.words(value) }?.title ?? Self.words(value)
    }

    private static func titles(of list: JSONText, in choices: [Choice]) -> String {
        var titles: [String] = []
        list.elements { titles.append(Self.title(of: list[$0], in: choices)) }
        return titles.isEmpty ? "none" : titles.joined(separator: ", ")
    }

    private var demand: String {
        switch self.kind {
        case .text(let minimum, let maximum, let format):
            (format?.words ?? "text")
                + Self.range("\(minimum ?? 0)", maximum.map { "\($0)" }, minimum ?? 0, " characters")
        case .number(let isWhole, let minimum, let maximum):
            (isWhole ? "whole number" : "number")
                + Self.range(minimum.map { "\($0)" }, maximum.map { "\($0)" }, minimum == nil ? 0 : 1, "")
        case .boolean: "yes or no"
        case .choice: "one of these, by number or name"
        case .choices(_, let minimum, let maximum):
            "some of these, as in 1,3; 0 is none"
                + Self.range("\(minimum ?? 0)", maximum.map { "\($0)" }, minimum ?? 0, " of them")
        }
    }

    /// `, 1 to 5 …`, `, at least 1 …`, `, at most 5 …`, or nothing.
    private static func range(_ minimum: String?, _ maximum: String?, _ lowest: Int, _ unit: String) -> String {
        switch (lowest > 0 ? minimum : nil, maximum) {
        case (let minimum?, let maximum?): ", \(minimum) to \(maximum)\(unit)"
        case (let minimum?, nil): ", at least \(minimum)\(unit)"
        case (nil, let maximum?): ", at most \(maximum)\(unit)"
        case (nil, nil): ""
        }
    }
}

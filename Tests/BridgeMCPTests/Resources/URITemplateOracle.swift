import BridgeTesting

/// What RFC 6570 says of a template, written down a second time: an expander for all of its levels, and a matcher that
/// tries everything.
enum URITemplateOracle {
    struct Variable {
        var name: String
        var modifier: Modifier
    }

    enum Modifier {
        case none
        case explode
        case prefix(Int)
    }

    struct Expression {
        /// Empty for simple expansion.
        var mark: String
        var variables: [Variable]

        var text: String {
            let names = self.variables.map { variable in
                switch variable.modifier {
                case .none: variable.name
                case .explode: variable.name + "*"
                case .prefix(let length): "\(variable.name):\(length)"
                }
            }
            return "{\(self.mark)\(names.joined(separator: ","))}"
        }
    }

    enum Value {
        case text(String)
        case list([String])
        case pairs([(String, String)])
    }

    enum Part {
        case literal(String)
        case expression(Expression)

        var text: String {
            switch self {
            case .literal(let text): text
            case .expression(let expression): expression.text
            }
        }
    }

    static let marks = ["", "+", "#", ".", "/", ";", "?", "&"]

    // MARK: Expansion (RFC 6570, section 3.2.1 and appendix A)

    private struct Rules {
        var first = ""
        var separator = ","
        var isNamed = false
        var ifEmpty = ""
        var allowsReserved = false

        init(_ mark: String) {
            switch mark {
            case "+": self.allowsReserved = true
            case "#":
                self.first = "#"
                self.allowsReserved = true
            case ".", "/":
                self.first = mark
                self.separator = mark
            case ";":
                self.first = ";"
                self.separator = ";"
                self.isNamed = true
            case "?", "&":
                self.first = mark
                self.separator = "&"
                self.isNamed = true
                self.ifEmpty = "="
            default: break
            }
        }
    }

    static func expand(_ parts: [Part], _ values: [String: Value]) -> String {
        parts.map { part in
            switch part {
            case .literal(let text): text
            case .expression(let expression): self.expand(expression, values)
            }
        }.joined()
    }

    private static func expand(_ expression: Expression, _ values: [String: Value]) -> String {
        let rules = Rules(expression.mark)
        let pieces = expression.variables.compactMap { variable in
            values[variable.name].flatMap { self.expand(variable, $0, rules) }
        }
        return pieces.isEmpty ? "" : rules.first + pieces.joined(separator: rules.separator)
    }

    private static func expand(_ variable: Variable, _ value: Value, _ rules: Rules) -> String? {
        let encode = { (text: String) in self.encode(text, reserved: rules.allowsReserved) }
        let named = { (name: String, text: String) in
            guard rules.isNamed else { return text }
            return text.isEmpty ? name + rules.ifEmpty : name + "=" + text
        }
        switch (value, variable.modifier) {
        case (.text(let text), .prefix(let length)): return named(variable.name, encode(String(text.prefix(length))))
        case (.text(let text), _): return named(variable.name, encode(text))
        case (.list(let list), _) where list.isEmpty: return nil
        case (.pairs(let pairs), _) where pairs.isEmpty: return nil
        case (.list(let list), .explode):
            return list.map { named(variable.name, encode($0)) }.joined(separator: rules.separator)
        case (.list(let list), _): return named(variable.name, list.map(encode).joined(separator: ","))
        case (.pairs(let pairs), .explode):
            return pairs.map { key, text in encode(key) + "=" + encode(text) }.joined(separator: rules.separator)
        case (.pairs(let pairs), _):
            return named(variable.name, pairs.map { encode($0) + "," + encode($1) }.joined(separator: ","))
        }
    }

    private static func encode(_ text: String, reserved: Bool) -> String {
        text.utf8.map { byte -> String in
            let character = Character(UnicodeScalar(byte))
            let isPlain = character.isASCII && (character.isLetter || character.isNumber || "-._~".contains(character))
            if isPlain || (reserved && ":/?#[]@!$&'()*+,;=".contains(character)) { return String(character) }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    // MARK: Matching

    /// Whether a URI may have been made: by trying every length of every expression.
    static func matches(_ parts: ArraySlice<Part>, _ uri: Substring.UTF8View) -> Bool {
        guard let part = parts.first else { return uri.isEmpty }
        let rest = parts.dropFirst()
        switch part {
        case .literal(let text):
            return uri.starts(with: text.utf8) && self.matches(rest, uri.dropFirst(text.utf8.count))
        case .expression(let expression):
            let isFree: Bool
            let isOptional: Bool
            switch expression.mark {
            case "":
                isFree = expression.text.hasSuffix("*}")
                isOptional = false
            case ".":
                isFree = false
                isOptional = true
            default:
                isFree = true
                isOptional = true
            }
            for length in (isOptional ? 0 : 1)...max(uri.count, 1) {
                guard length <= uri.count else { break }
                // A run begins with any character, and goes on while what is behind it separates nothing.
                let run = uri.prefix(length)
                if !isFree, run.contains(where: { "/?#".utf8.contains($0) }) { break }
                if self.matches(rest, uri.dropFirst(length)) { return true }
            }
            return false
        }
    }

    // MARK: Generation

    static func parts(_ random: inout SeededRandom, marks: [String] = Self.marks, upTo maximum: Int = 6) -> [Part] {
        var parts: [Part] = []
        for number in 0..<Int.random(in: 1...maximum, using: &random) {
            if Bool.random(using: &random) {
                parts.append(
                    .literal(Fuzz.text(of: ["a", "b", "/", "://", "?", "#", "-", "é", "%41", "x"], 1...3, &random)))
                continue
            }
            let variables = (0..<Int.random(in: 1...2, using: &random)).map { index in
                let modifier: Modifier =
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: .explode
                    case 1: .prefix(Int.random(in: 1...9, using: &random))
                    default: .none
                    }
                return Variable(name: "v\(number)\(index)", modifier: modifier)
            }
            parts.append(.expression(Expression(mark: marks.randomElement(using: &random) ?? "", variables: variables)))
        }
        return parts
    }

    /// Values for every variable: some of them empty, none of them missing.
    static func values(_ parts: [Part], _ random: inout SeededRandom, mayBeEmpty: Bool) -> [String: Value] {
        var values: [String: Value] = [:]
        let pieces = ["a", "Z", "9", "/", "?", "#", " ", "%", "é", ",", "=", "~", "日"]
        let least = mayBeEmpty ? 0 : 1
        for case .expression(let expression) in parts {
            for variable in expression.variables {
                let some = { (random: inout SeededRandom) in Fuzz.text(of: pieces, least...4, &random) }
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    values[variable.name] = .list(
                        (0..<Int.random(in: least...3, using: &random)).map { _ in some(&random) })
                case 1:
                    values[variable.name] = .pairs(
                        (0..<Int.random(in: least...2, using: &random)).map { ("k\($0)", some(&random)) })
                default: values[variable.name] = .text(some(&random))
                }
            }
        }
        return values
    }
}

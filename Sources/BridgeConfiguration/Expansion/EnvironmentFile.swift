/// A `.env` file: `NAME=value` lines, `export` allowed, `#` comments, single quotes (literal) and double quotes
/// (`\n`, `\r`, `\t`, `\"`, `\\`, `\$`). Quoted values may span lines. Nothing in them is expanded.
package struct EnvironmentFile: Sendable {
    package struct Problem: Sendable, Hashable {
        /// Counted from 1.
        package let line: Int
        package let message: String
    }

    /// In their order; a name that is set twice is here twice, and the last one counts.
    package private(set) var variables: [(name: String, value: String)] = []
    package private(set) var problems: [Problem] = []

    package init(_ bytes: [UInt8]) {
        var scanner = Scanner(text: Array(String(decoding: bytes, as: UTF8.self).unicodeScalars))
        if scanner.peek == "\u{FEFF}" { scanner.index += 1 }
        while scanner.peek != nil {
            let line = scanner.line
            do {
                if let variable = try scanner.assignment() { self.variables.append(variable) }
            } catch {
                self.problems.append(Problem(line: line, message: error.rawValue))
                scanner.skipLine()
            }
        }
    }

    private enum Mistake: String, Error {
        case name = "a line is 'NAME=value'; a name is letters, digits and '_'."
        case quote = "a quote is not closed."
        case rest = "something follows the closing quote."
    }

    private struct Scanner {
        let text: [Unicode.Scalar]
        var index = 0
        var line = 1

        var peek: Unicode.Scalar? { self.index < self.text.count ? self.text[self.index] : nil }

        mutating func next() -> Unicode.Scalar? {
            guard let scalar = self.peek else { return nil }
            self.index += 1
            if scalar == "\n" { self.line += 1 }
            return scalar
        }

        mutating func skipLine() {
            while let scalar = self.next(), scalar != "\n" {}
        }

        mutating func skipBlanks() {
            while let scalar = self.peek, scalar == " " || scalar == "\t" || scalar == "\r" { self.index += 1 }
        }

        /// One line, or several when a quoted value spans them; `nil` for an empty line or a comment.
        mutating func assignment() throws(Mistake) -> (name: String, value: String)? {
            self.skipBlanks()
            guard let first = self.peek, first != "\n", first != "#" else {
                self.skipLine()
                return nil
            }
            var name = self.word()
            self.skipBlanks()
            if name == "export", self.peek != "=" {
                name = self.word()
                self.skipBlanks()
            }
            guard !name.isEmpty, self.peek == "=" else { throw .name }
            self.index += 1
            self.skipBlanks()
            switch self.peek {
            case "'"?, "\""?: return (name, try self.quoted())
            default: return (name, self.plain())
            }
        }

        private mutating func word() -> String {
            var word = ""
            while let scalar = self.peek, scalar.isASCII,
                scalar == "_" || scalar.properties.isAlphabetic || Self.isDigit(scalar)
            {
                if word.isEmpty, Self.isDigit(scalar) { return "" }
                word.unicodeScalars.append(scalar)
                self.index += 1
            }
            return word
        }

        private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

        /// Up to the end of the line, or to a `#` after white space.
        private mutating func plain() -> String {
            var value: [Unicode.Scalar] = []
            while let scalar = self.next(), scalar != "\n" {
                if scalar == "#", value.last.map({ $0 == " " || $0 == "\t" }) ?? true {
                    self.skipLine()
                    break
                }
                value.append(scalar)
            }
            while let last = value.last, last == " " || last == "\t" || last == "\r" { value.removeLast() }
            return String(String.UnicodeScalarView(value))
        }

        private mutating func quoted() throws(Mistake) -> String {
            let (start, line) = (self.index, self.line)
            let quote = self.next()
            var value = String.UnicodeScalarView()
            while let scalar = self.next() {
                if scalar == quote {
                    self.skipBlanks()
                    guard self.peek == nil || self.peek == "\n" || self.peek == "#" else { throw .rest }
                    self.skipLine()
                    return String(value)
                }
                if scalar == "\\", quote == "\"", let escaped = self.peek, let meant = Self.escapes[escaped] {
                    self.index += 1
                    value.append(meant)
                } else {
                    value.append(scalar)
                }
            }
            // Only the line with the quote is lost, not the rest of the file.
            (self.index, self.line) = (start, line)
            throw .quote
        }

        private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
            "n": "\n", "r": "\r", "t": "\t", "\"": "\"", "\\": "\\", "$": "$",
        ]
    }
}

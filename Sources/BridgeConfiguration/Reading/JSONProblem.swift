import BridgeCore

/// Why a text is not JSON, told to the person who wrote it.
struct JSONProblem {
    let message: String
    let remedy: String?

    init(_ error: JSONError, in bytes: [UInt8]) {
        let found = error.offset < bytes.count ? bytes[error.offset] : nil
        let before = bytes[..<min(error.offset, bytes.count)].last { !" \t\r\n".utf8.contains($0) }
        switch error.code {
        case .unexpectedByte where before == UInt8(ascii: "{"), .unexpectedEnd where before == UInt8(ascii: "{"):
            self.message = "Expecting property name enclosed in double quotes"
            self.remedy = found == UInt8(ascii: "'") ? "JSON strings take double quotes." : nil
        case .unexpectedByte where found == UInt8(ascii: "'"):
            self.message = "a string is written with single quotes"
            self.remedy = "JSON strings take double quotes."
        case .unexpectedByte where found == UInt8(ascii: "\"") && before.map(Self.endsValue) == true:
            self.message = "a comma is missing before this"
            self.remedy = "Write ',' between two members."
        case .unexpectedByte:
            self.message = "unexpected \(Self.name(found))"
            self.remedy = nil
        case .unexpectedEnd:
            self.message = "the text ends too early"
            self.remedy = "A bracket, a brace or a quote is still open."
        case .invalidNumber: (self.message, self.remedy) = ("malformed number", nil)
        case .invalidLiteral:
            self.message = "a word that is not 'true', 'false' or 'null'"
            self.remedy = "Texts are written in double quotes."
        case .controlCharacter:
            self.message = "a line break or control character inside a string"
            self.remedy = "Write it as an escape, such as '\\n'."
        case .invalidEscape:
            self.message = "an escape that JSON does not have"
            self.remedy = "A backslash itself is written '\\\\'."
        case .invalidUTF8: (self.message, self.remedy) = ("malformed UTF-8", "Save the text as UTF-8.")
        case .trailingBytes: (self.message, self.remedy) = ("something follows the value", nil)
        case .tooDeep: (self.message, self.remedy) = ("nested too deeply", nil)
        case .tooLarge: (self.message, self.remedy) = ("too large", nil)
        }
    }

    private static func endsValue(_ byte: UInt8) -> Bool {
        !"{[,:".utf8.contains(byte)
    }

    private static func name(_ byte: UInt8?) -> String {
        guard let byte, byte > 0x20, byte < 0x7F else { return "byte" }
        return "'\(Character(Unicode.Scalar(byte)))'"
    }
}

/// How much JSON is accepted.
package struct JSONLimits: Sendable {
    /// Arrays and objects around a value: `[]` has depth 1.
    package var maximumDepth = 128
    /// Counted before surrounding white space is trimmed.
    package var maximumBytes = 64 << 20

    package static let standard = JSONLimits()

    package init(maximumDepth: Int = 128, maximumBytes: Int = 64 << 20) {
        self.maximumDepth = maximumDepth
        self.maximumBytes = maximumBytes
    }
}

/// Why some bytes are not JSON that we accept, and where that showed.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// The text stops inside a value, or holds none.
        case unexpectedEnd
        /// A byte that no value, member or separator may begin with at this place (a byte order mark too).
        case unexpectedByte
        /// `01`, `1.`, `.5`, `1e`, `+1`.
        case invalidNumber
        /// Something that begins like `true`, `false` or `null`.
        case invalidLiteral
        /// A byte below 0x20 inside a string.
        case controlCharacter
        /// A backslash that is not followed by one of `"\/bfnrt` or `u` and four hexadecimal digits.
        case invalidEscape
        /// Not UTF-8: stray or missing continuation, overlong form, surrogate, or beyond U+10FFFF.
        case invalidUTF8
        /// Something follows the value.
        case trailingBytes
        /// Nested deeper than ``JSONLimits/maximumDepth``.
        case tooDeep
        /// Longer than ``JSONLimits/maximumBytes``; nothing of it was read.
        case tooLarge
    }

    package let code: Code
    /// In bytes from the start of what was given; its length when the text stopped too early.
    package let offset: Int

    package init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    package var description: String {
        let what =
            switch self.code {
            case .unexpectedEnd: "the text ends too early"
            case .unexpectedByte: "unexpected byte"
            case .invalidNumber: "malformed number"
            case .invalidLiteral: "malformed literal"
            case .controlCharacter: "unescaped control character in a string"
            case .invalidEscape: "malformed escape in a string"
            case .invalidUTF8: "malformed UTF-8"
            case .trailingBytes: "something follows the value"
            case .tooDeep: "nested too deeply"
            case .tooLarge: "too large"
            }
        return "not acceptable JSON: \(what) at byte \(self.offset)"
    }
}

import NIOCore

/// Bytes that some upstream wrote, made fit for a log line or an error message.
enum ForeignText {
    /// Decodes leniently, drops terminal control sequences, and replaces other control characters.
    ///
    /// - Parameter limit: of bytes that are looked at; more is replaced by an ellipsis.
    static func printable(_ bytes: ByteBuffer, limit: Int) -> String {
        let isCut = bytes.readableBytes > limit
        let text = String(decoding: bytes.readableBytesView.prefix(limit), as: UTF8.self)
        var result = String.UnicodeScalarView()
        var escape = Escape.none
        for scalar in text.unicodeScalars where escape.passes(scalar) {
            let isControl = scalar.value < 0x20 && scalar != "\t" || (0x7F...0x9F).contains(scalar.value)
            if scalar != "\r" { result.append(isControl ? "\u{FFFD}" : scalar) }
        }
        return String(result) + (isCut ? "…" : "")
    }

    /// Where in a sequence such as `ESC [ 3 1 m` a text is.
    private enum Escape {
        case none, begun, inside

        /// Whether the scalar is text.
        mutating func passes(_ scalar: Unicode.Scalar) -> Bool {
            switch self {
            case .none where scalar == "\u{1B}": self = .begun
            case .none: return true
            case .begun: self = scalar == "[" ? .inside : .none
            case .inside where (0x40...0x7E).contains(scalar.value): self = .none
            case .inside: break
            }
            return false
        }
    }
}

import Logging

/// Turns records into lines of text that cannot be mistaken for other lines, nor act on a terminal.
enum LogText {
    /// Characters of a value that people are shown.
    private static let maximumValue = 1_024

    /// ` key=value` for each, a leading `mcp.` left out.
    ///
    /// - Parameter isCut: whether long values are.
    static func write(
        _ metadata: [(key: String, value: Logger.Metadata.Value)], to buffer: inout [UInt8], isCut: Bool = true
    ) {
        for (key, value) in metadata {
            buffer.append(UInt8(ascii: " "))
            Self.write(key.hasPrefix("mcp.") ? String(key.dropFirst(4)) : key, to: &buffer)
            buffer.append(UInt8(ascii: "="))
            let text = value.description
            let isShort = !isCut || text.utf8.count <= Self.maximumValue
            Self.writeValue(isShort ? text : text.prefix(Self.maximumValue) + "…", to: &buffer)
        }
    }

    /// As it is, but for control characters, which are written as Swift would escape them.
    static func write(_ text: String, to buffer: inout [UInt8]) {
        guard Self.hasControls(text) else {
            buffer.append(contentsOf: text.utf8)
            return
        }
        for scalar in text.unicodeScalars { Self.write(scalar, to: &buffer) }
    }

    /// In quotes unless it is one plain word.
    private static func writeValue(_ text: String, to buffer: inout [UInt8]) {
        let isWord = !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !Self.quoting.contains($0) }
        guard !isWord else {
            buffer.append(contentsOf: text.utf8)
            return
        }
        buffer.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { buffer.append(UInt8(ascii: "\\")) }
            Self.write(scalar, to: &buffer)
        }
        buffer.append(UInt8(ascii: "\""))
    }

    private static let quoting = Array("\"\\=".utf8)

    private static func write(_ scalar: Unicode.Scalar, to buffer: inout [UInt8]) {
        switch scalar {
        case "\n": buffer.append(contentsOf: "\\n".utf8)
        case "\r": buffer.append(contentsOf: "\\r".utf8)
        case "\t": buffer.append(contentsOf: "\\t".utf8)
        case _ where Self.isControl(scalar): buffer.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".utf8)
        default: buffer.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    /// C0, DEL and C1, and what separates lines in Unicode.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F, 0x2028, 0x2029: true
        default: false
        }
    }

    private static func hasControls(_ text: String) -> Bool {
        // ASCII without controls, the usual case, needs no decoding.
        if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return false }
        return text.unicodeScalars.contains(where: Self.isControl)
    }
}

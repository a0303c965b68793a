import BridgeCore
package import NIOCore

/// What a server says, made fit for people: one line of printable text, cut. Whoever wrote it may be an attacker.
package enum ForeignWords {
    /// In characters.
    private static let most = 200

    package static func short(_ text: String) -> String {
        let printable = text.unicodeScalars.map { scalar -> Character in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: " "
            default: Character(scalar)
            }
        }
        let line = String(printable).split { $0.isWhitespace }.joined(separator: " ")
        return line.count > Self.most ? "\(line.prefix(Self.most))…" : line
    }

    /// What a body says about an error.
    package static func of(_ body: ByteBuffer) -> String {
        if let json = try? JSONText(validating: body), json.kind == .object, let said = Self.message(in: json) {
            return Self.short(said)
        }
        return Self.short(Self.withoutTags(String(decoding: body.readableBytesView.prefix(4_096), as: UTF8.self)))
    }

    private static func message(in json: JSONText) -> String? {
        let error = json.value("error")
        return json.string("error_description") ?? error?.string("message") ?? error?.string ?? json.string("message")
            ?? json.string("detail")
    }

    private static func withoutTags(_ text: String) -> String {
        var isTag = false
        return String(
            text.compactMap { character -> Character? in
                if character == "<" { isTag = true }
                defer { if character == ">" { isTag = false } }
                return isTag ? (character == "<" ? " " : nil) : character
            })
    }
}

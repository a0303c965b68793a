package import BridgeConfiguration
import BridgeCore
import NIOCore

/// What a server says, made fit for people: one line of printable text, cut, and without what it was told in confidence.
/// Whoever wrote it may be an attacker.
package enum ForeignWords {
    /// In characters.
    private static let most = 200
    /// A shorter secret would blacken what has nothing to do with it.
    private static let shortestSecret = 6

    package static func short(_ text: String) -> String { Self.short(text, hiding: []) }

    /// - Parameter secrets: which are not to be told, though the server may give them back.
    package static func short(_ text: String, hiding secrets: [Secret]) -> String {
        let printable = text.unicodeScalars.map { scalar -> Character in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: " "
            default: Character(scalar)
            }
        }
        // Before it is cut: half a secret is too much, too.
        let line = Self.masked(String(printable).split { $0.isWhitespace }.joined(separator: " "), secrets)
        return line.count > Self.most ? "\(line.prefix(Self.most))…" : line
    }

    private static func masked(_ text: String, _ secrets: [Secret]) -> String {
        let encoded = secrets.map { FormFields.encode($0.value) }
        let forms = Set(secrets.map(\.value) + encoded + encoded.map { $0.replacing("+", with: "%20") })
        return forms.filter { $0.utf8.count >= Self.shortestSecret }.sorted { $0.utf8.count > $1.utf8.count }
            .reduce(text) { $0.replacing($1, with: Secret.mask) }
    }

    /// What an answer says about an error. Of one that went well nothing is said: it may hold what nobody may see.
    package static func of(_ reply: WebReply, hiding secrets: [Secret] = []) -> String {
        guard !reply.isGood else { return "" }
        if let json = try? JSONText(validating: reply.body), json.kind == .object, let said = Self.message(in: json) {
            return Self.short(said, hiding: secrets)
        }
        let text = String(decoding: reply.body.readableBytesView.prefix(4_096), as: UTF8.self)
        return Self.short(Self.withoutTags(text), hiding: secrets)
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

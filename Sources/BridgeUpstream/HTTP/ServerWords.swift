import BridgeCore
import NIOCore
import NIOHTTP1

/// What a server says in an answer that is none, made fit for people: a line, without tags, and without what we have told
/// it in confidence. Pure.
struct ServerWords {
    /// In characters.
    private static let most = 200
    /// A shorter secret would blacken what has nothing to do with it.
    private static let shortestSecret = 6

    /// Values of headers, the words of each, and passwords, the longest first.
    private let secrets: [String]

    init(secrets values: [String]) {
        let words = values.flatMap { [$0] + $0.split(separator: " ").map(String.init) }
        self.secrets = Set(words.filter { $0.utf8.count >= Self.shortestSecret }).sorted {
            $0.utf8.count > $1.utf8.count
        }
    }

    /// `404 Not Found: there is no such page`.
    func sentence(_ status: HTTPResponseStatus, _ body: ByteBuffer?) -> String {
        let words = body.map { self.quoted($0) } ?? ""
        let reason = self.masked(ForeignText.printable(ByteBuffer(string: status.reasonPhrase), limit: 64))
        let code = reason.isEmpty ? "\(status.code)" : "\(status.code) \(reason)"
        return words.isEmpty ? code : "\(code): \(words)"
    }

    /// What a challenge says (RFC 6750, section 3), or else the body.
    func challenge(_ status: HTTPResponseStatus, _ headers: HTTPHeaders, _ body: ByteBuffer?) -> String {
        for field in headers["WWW-Authenticate"] {
            guard let words = Self.parameter("error_description", of: field) ?? Self.parameter("error", of: field)
            else { continue }
            return "\(status.code) \(self.masked(ForeignText.printable(ByteBuffer(string: words), limit: Self.most)))"
        }
        return self.sentence(status, body)
    }

    func quoted(_ body: ByteBuffer) -> String {
        if let text = try? JSONText(validating: body), let words = Self.message(in: text) {
            return self.short(words)
        }
        return self.short(String(decoding: body.readableBytesView.prefix(64 << 10), as: UTF8.self))
    }

    /// Without what nobody may see.
    func masked(_ text: String) -> String {
        self.secrets.reduce(text) { $0.replacing($1, with: "***") }
    }

    private static func message(in text: JSONText) -> String? {
        guard text.kind == .object else { return nil }
        return text.value("error")?.string("message") ?? text.string("error_description") ?? text.string("message")
            ?? text.string("detail") ?? text.string("error")
    }

    private func short(_ text: String) -> String {
        let words = Self.withoutTags(text).split { $0.isWhitespace }.joined(separator: " ")
        let masked = self.masked(words)
        let line = ForeignText.printable(ByteBuffer(string: String(masked.prefix(Self.most))), limit: 4 * Self.most)
        return masked.count > Self.most ? line + "…" : line
    }

    /// What a browser would show of a page, roughly.
    private static func withoutTags(_ text: String) -> String {
        guard text.contains("<") else { return text }
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "<") {
            result += rest[..<open]
            result += " "
            let tag = rest[open...]
            let isHidden = ["<script", "<style"].first { tag.prefix($0.count).lowercased() == $0 }
            let end = isHidden.flatMap { tag.firstRange(of: "</\($0.dropFirst())")?.upperBound } ?? open
            guard let close = rest[end...].firstIndex(of: ">") else { return result }
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }

    /// `name="value"` or `name=value`.
    private static func parameter(_ name: String, of field: String) -> String? {
        var rest = field[...]
        while let range = rest.firstRange(of: "\(name)=") {
            let isWhole =
                range.lowerBound == rest.startIndex || " ,".contains(rest[rest.index(before: range.lowerBound)])
            rest = rest[range.upperBound...]
            guard isWhole else { continue }
            if rest.hasPrefix("\"") {
                return rest.dropFirst().firstIndex(of: "\"").map { String(rest.dropFirst()[..<$0]) }
            }
            return String(rest.prefix { !" ,".contains($0) })
        }
        return nil
    }
}

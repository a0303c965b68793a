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

    /// What a browser would show of a page, roughly. Each byte is looked at once.
    private static func withoutTags(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "<")) else { return text }
        let page = Array(text.utf8)
        var shown: [UInt8] = []
        shown.reserveCapacity(page.count)
        var index = 0
        // What is not shown ends with the tag of this name.
        var hidden: StaticString?
        while index < page.count {
            guard page[index] == UInt8(ascii: "<") else {
                if hidden == nil { shown.append(page[index]) }
                index += 1
                continue
            }
            if let name = hidden {
                guard page.has(name, at: index + 2), page[index + 1] == UInt8(ascii: "/") else {
                    index += 1
                    continue
                }
                hidden = nil
            } else {
                hidden = (["script", "style"] as [StaticString]).first { page.has($0, at: index + 1) }
            }
            shown.append(UInt8(ascii: " "))
            while index < page.count, page[index] != UInt8(ascii: ">") { index += 1 }
            index += 1
        }
        return String(decoding: shown, as: UTF8.self)
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

extension [UInt8] {
    /// Whether a name in lower case stands there, in letters of either case.
    fileprivate func has(_ name: StaticString, at index: Int) -> Bool {
        guard index + name.utf8CodeUnitCount <= self.count else { return false }
        return name.withUTF8Buffer { name in name.indices.allSatisfy { self[index + $0] | 0x20 == name[$0] } }
    }
}

import BridgeCore
import NIOCore

/// A value in a configuration text, with the place and the path a person would look for it under.
///
/// The readers return `nil` after having reported what was expected instead.
struct ConfigurationNode {
    private let document: JSONText
    private let span: JSONSpan
    /// Bytes of the text before ``document`` begins.
    private let base: Int
    let path: String

    private init(document: JSONText, span: JSONSpan, base: Int, path: String) {
        self.document = document
        self.span = span
        self.base = base
        self.path = path
    }

    /// Reads a whole text as JSON with comments; `nil` after having reported where it is not.
    init?(reading bytes: [UInt8], report: inout ConfigurationReport) {
        if let encoding = TextEncoding.foreign(in: bytes) {
            report.add(.error, at: 0, "", "the file is \(encoding).", remedy: "Save it as UTF-8.")
            return nil
        }
        let plain = JSONC(bytes)
        if let comment = plain.unterminatedComment {
            report.add(.error, at: comment, "", "a comment begins here and never ends.", remedy: "Close it with '*/'.")
            return nil
        }
        guard plain.bytes.contains(where: { !" \t\r\n".utf8.contains($0) }) else {
            report.add(
                .error, at: 0, "", "the file is empty.", remedy: "Write '{\"mcpServers\": {}}' for one without servers."
            )
            return nil
        }
        do {
            let document = try JSONText(validating: ByteBuffer(bytes: plain.bytes))
            let base = plain.bytes.firstIndex { !" \t\r\n".utf8.contains($0) } ?? 0
            self.init(document: document, span: document.span, base: base, path: "")
        } catch {
            if let format = TextFormat(of: bytes) {
                report.add(
                    .error, at: 0, "", "this is not JSON; it looks like \(format.rawValue).",
                    remedy: "Only JSON is read: write the servers under 'mcpServers', as the README shows."
                )
                return nil
            }
            let problem = JSONProblem(error, in: plain.bytes)
            report.add(.error, at: error.offset, "", "this is not JSON: \(problem.message).", remedy: problem.remedy)
            return nil
        }
    }

    /// A text that is known to be JSON already.
    init(_ document: JSONText, path: String = "") {
        self.init(document: document, span: document.span, base: 0, path: path)
    }

    var offset: Int { self.base + self.span.lowerBound }
    var kind: JSONKind { self.span.kind }
    var text: JSONText { self.document[self.span] }

    /// What this is, for a sentence.
    var kindWords: String {
        switch self.kind {
        case .object: "an object"
        case .array: "an array"
        case .string: "a string"
        case .number: "a number"
        case .true, .false: "a boolean"
        case .null: "null"
        }
    }

    /// `keyOffset` is where the key itself is written.
    struct Member {
        let key: String
        let keyOffset: Int
        let value: ConfigurationNode
    }

    /// In their order, duplicates too; empty when this is no object.
    var members: [Member] {
        var members: [Member] = []
        self.document.members(in: self.span) { key, value in
            let name = key.string
            let node = ConfigurationNode(
                document: self.document, span: value, base: self.base, path: Self.join(self.path, name)
            )
            let offset = self.base + self.keyEnd(before: value.lowerBound) - key.text.count
            members.append(Member(key: name, keyOffset: offset, value: node))
        }
        return members
    }

    /// In their order; empty when this is no array.
    var elements: [ConfigurationNode] {
        var elements: [ConfigurationNode] = []
        self.document.elements(in: self.span) { span in
            let path = "\(self.path)[\(elements.count)]"
            elements.append(ConfigurationNode(document: self.document, span: span, base: self.base, path: path))
        }
        return elements
    }

    /// A key that a path could not show plainly is quoted.
    static func join(_ path: String, _ key: String) -> String {
        let plain = !key.isEmpty && key.utf8.allSatisfy { $0 > 0x20 && !".[]\"\\".utf8.contains($0) && $0 != 0x7F }
        if plain { return path.isEmpty ? key : "\(path).\(key)" }
        return "\(path)[\(JSONText(key).description)]"
    }

    /// Between a key and its value there is white space and one colon.
    private func keyEnd(before value: Int) -> Int {
        let bytes = self.document.bytes
        var index = value
        while index > 0, bytes.getInteger(at: bytes.readerIndex + index - 1) != UInt8(ascii: "\"") { index -= 1 }
        return index
    }
}

import BridgeCore
import NIOCore

/// An error as a server reported it, in whatever form, made into one that JSON-RPC has.
enum ServerError {
    /// The code of what a server reported in a form of its own.
    private static let code = -32603
    /// What of its words is told, and up to what size all of it is passed on, in bytes.
    private static let maximumWords = 4 << 10
    private static let maximumData = 256 << 10
    /// Where the words are looked for, in this order.
    private static let names = ["message", "error", "description", "detail", "details", "reason", "text", "data"]

    /// The server's words, and what it said as `data`.
    static func error(from original: JSONText) -> JSONText {
        JSONWriter.object { error in
            error.member("code", Self.code)
            error.member("message", Self.words(of: original))
            if original.count <= Self.maximumData { error.member("data", original) }
        }
    }

    /// What a result of the wrong kind is told as.
    static func error(fromResult result: JSONText) -> JSONText {
        JSONWriter.object { error in
            error.member("code", Self.code)
            error.member("message", "The result is not an object: \(Self.words(of: result))")
            if result.count <= Self.maximumData { error.member("data", result) }
        }
    }

    static func words(of original: JSONText) -> String {
        if let words = original.string { return Self.cut(words) }
        for name in Self.names {
            guard let span = original.member(named: name), span.kind == .string,
                let words = original[span].string, !words.isEmpty
            else { continue }
            return Self.cut(words)
        }
        return ForeignText.printable(original.bytes, limit: Self.maximumWords)
    }

    private static func cut(_ words: String) -> String {
        guard words.utf8.count > Self.maximumWords else { return words }
        return String(decoding: words.utf8.prefix(Self.maximumWords), as: UTF8.self) + "…"
    }
}

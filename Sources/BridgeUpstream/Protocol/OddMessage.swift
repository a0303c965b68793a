import BridgeCore
import NIOCore

/// A JSON object that is no message as JSON-RPC has them, and what its server plainly meant by it.
struct OddMessage {
    enum Meaning: Equatable {
        /// With a result or an error, or both.
        case answer
        case request
        case notification
        /// Nothing can be made of it.
        case nothing
    }

    /// The id, whatever its kind; nil when there is none, or more than one.
    private(set) var id: JSONText?
    private(set) var hasMethod = false
    private var hasID = false
    private var version: JSONText?
    /// Not null: that counts as absent.
    private var result: JSONText?
    private var error: JSONText?
    private var seen: Set<Key> = []
    /// Whether a member that we act on occurs twice: two readers may understand different things.
    private var isAmbiguous = false

    private enum Key: String {
        case id, jsonrpc, method, result, error

        init?(_ key: JSONKey) {
            guard key.text.count <= 64 else { return nil }
            self.init(rawValue: key.string)
        }
    }

    init(_ text: JSONText) {
        text.members { key, span in
            guard let key = Key(key) else { return }
            self.take(key, text[span])
        }
    }

    private mutating func take(_ key: Key, _ value: JSONText) {
        let isFirst = self.seen.insert(key).inserted
        if !isFirst { self.isAmbiguous = true }
        switch key {
        case .id:
            self.hasID = true
            self.id = isFirst ? value : nil
        case .jsonrpc: self.version = value
        case .method where !value.isNull: self.hasMethod = true
        case .result where !value.isNull: self.result = value
        case .error where !value.isNull: self.error = value
        case .method, .result, .error: break
        }
    }

    var isVersioned: Bool { self.version?.string == "2.0" && !self.isAmbiguous }

    var meaning: Meaning {
        if self.result != nil || self.error != nil { return .answer }
        guard self.hasMethod else { return .nothing }
        return self.hasID ? .request : .notification
    }

    /// The error of an answer that has nothing else.
    var onlyError: JSONText? { self.result == nil && !self.isAmbiguous ? self.error : nil }

    /// The answer, under one of our ids, as JSON-RPC has it; nil where it has no meaning, or more than one.
    func answer(to id: Int) -> RPCMessage? {
        guard !self.isAmbiguous else { return nil }
        let outcome: (name: String, value: JSONText)
        switch (self.result, self.error) {
        case (let result?, nil): outcome = Self.outcome(result)
        case (nil, let error?): outcome = ("error", Self.isInForm(error) ? error : ServerError.error(from: error))
        default: return nil
        }
        return Self.answer(to: id, outcome.name, outcome.value)
    }

    /// Answers a request with an error that named none.
    static func answer(to id: Int, error: JSONText) -> RPCMessage? {
        self.answer(to: id, "error", Self.isInForm(error) ? error : ServerError.error(from: error))
    }

    private static func answer(to id: Int, _ name: String, _ value: JSONText) -> RPCMessage? {
        let message = JSONWriter.object {
            $0.member("jsonrpc", "2.0")
            $0.member("id", id)
            $0.member(name, value)
        }
        // Half a surrogate pair in the value is still in it.
        return try? RPCMessage(JSONText(trusting: message.bytes, mayHaveHalfPairs: value.mayHaveHalfPairs))
    }

    private static func outcome(_ result: JSONText) -> (name: String, value: JSONText) {
        if result.kind == .object { return ("result", result) }
        // What some languages write for an object without members.
        var isEmpty = result.kind == .array
        result.elements { _ in isEmpty = false }
        return isEmpty ? ("result", .emptyObject) : ("error", ServerError.error(fromResult: result))
    }

    private static func isInForm(_ error: JSONText) -> Bool {
        error.int("code") != nil && error.value("message")?.kind == .string
    }
}

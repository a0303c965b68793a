import BridgeCore
import NIOCore

/// One line of a client: a message, or a batch of them. Its bytes go on as they are.
struct StdioMessage: Sendable {
    struct Request: Sendable {
        let id: RPCID
        let method: String
        /// Lists from the beginning are remembered; a page is not.
        let hasCursor: Bool
        /// What a session is asked to remember: a level, or a URI.
        let subject: String?
    }

    /// A client's `initialize`.
    struct Hello {
        let id: RPCID
        let revision: String
        /// `clientInfo.name`.
        let client: String?
    }

    enum Problem: Error {
        /// It cannot be read; these are the answers to what it asks.
        case refused(String, answers: [ByteBuffer])
    }

    let bytes: ByteBuffer
    /// The requests in it, each of which gets one answer.
    let requests: [Request]
    private let messages: [RPCMessage]

    init(_ line: ByteBuffer) throws(Problem) {
        let text: JSONText
        do throws(JSONError) { text = try JSONText(validating: line) } catch { throw Self.unreadable(line, error) }
        let messages: [RPCMessage]?
        do throws(RPCError) {
            messages = text.kind == .array ? try RPCBatch.messages(of: text) : [try RPCMessage(text)]
        } catch {
            throw Self.refused("a line is not a message", "\(error)", Self.ids(in: text))
        }
        guard let messages else { throw Self.refused("a batch is refused", RPCBatch.limit, Self.ids(in: text)) }
        self.init(text.bytes, messages)
    }

    private init(_ bytes: ByteBuffer, _ messages: [RPCMessage]) {
        self.bytes = bytes
        self.messages = messages
        self.requests = messages.compactMap { message in
            guard message.shape == .request, let id = message.rpcID else { return nil }
            let method = message.method ?? ""
            return Request(
                id: id, method: method, hasCursor: message.param("cursor") != nil,
                subject: Self.subject(of: message, method))
        }
    }

    var octets: Int { self.bytes.readableBytes }

    /// What is left of a batch when its requests are refused.
    var withoutRequests: StdioMessage? {
        let rest = self.messages.filter { $0.shape != .request }
        if rest.isEmpty { return nil }
        return StdioMessage(JSONWriter.array { array in for each in rest { array.element(each.text) } }.bytes, rest)
    }

    /// Whether sending it twice does no harm where it holds no request: an answer counts once.
    var isRepeatable: Bool {
        self.messages.allSatisfy { $0.shape == .result || $0.shape == .error || $0.method == Self.initialized }
    }

    var isSingle: Bool { self.messages.count == 1 }
    var hello: Hello? {
        guard self.isInitialize, let message = self.messages.first, let id = message.rpcID else { return nil }
        let text = message.text
        guard let revision = message.param("protocolVersion").flatMap({ text[$0].string }) else { return nil }
        let client = message.param("clientInfo").flatMap { text[$0].string("name") }
        return Hello(id: id, revision: revision, client: client)
    }

    var isInitialize: Bool { self.isSingle && self.messages[0].method == "initialize" }
    var isInitialized: Bool { self.messages.contains { $0.method == Self.initialized } }

    /// The requests that the client does not want any more.
    var cancelled: [RPCID] {
        self.messages.compactMap { message in
            guard message.method == "notifications/cancelled" else { return nil }
            return message.param("requestId").flatMap { RPCID(message.text[$0]) }
        }
    }

    /// The questions that it answers.
    var answered: [RPCID] {
        self.messages.compactMap { $0.shape == .result || $0.shape == .error ? $0.rpcID : nil }
    }

    private static let initialized = "notifications/initialized"

    private static func subject(of message: RPCMessage, _ method: String) -> String? {
        switch method {
        case "logging/setLevel": message.param("level").flatMap { message.text[$0].string }
        case "resources/subscribe", "resources/unsubscribe": message.param("uri").flatMap { message.text[$0].string }
        default: nil
        }
    }
}

// What cannot be read.
extension StdioMessage {
    /// A line that is too long to be kept.
    static func tooLong(_ line: LongLine, limit: Int) -> Problem {
        Self.refused("a line is refused", "A line is longer than \(limit) bytes, a fixed limit", line.requests)
    }

    private static func unreadable(_ line: ByteBuffer, _ error: JSONError) -> Problem {
        let begun = RPCFragment.read(line).fragment.flatMap { $0.kind == .request ? RPCID($0.id) : nil }
        var ids = begun.map { [$0] } ?? []
        if begun == nil {
            var whole = LongLine()
            whole.read(line)
            ids = whole.requests
        }
        return .refused(
            "a line is not JSON: \(error)",
            answers: ids.map { Fault.parseError.told(["what": "\(error)"]).reply(to: $0.bytes) })
    }

    private static func refused(_ what: String, _ why: String, _ ids: [RPCID]) -> Problem {
        .refused(
            "\(what): \(why)", answers: ids.map { Fault.invalidRequest.told(["what": why]).reply(to: $0.bytes) })
    }

    /// Of all that may be a request. What answers something is nobody's: its id is of a question of the bridge.
    private static func ids(in text: JSONText) -> [RPCID] {
        var ids: [RPCID] = []
        func look(_ each: JSONText) {
            guard each.kind == .object, ids.count < LongLine.maximumRequests else { return }
            let isAnswer = each.member("result") != nil || each.member("error") != nil
            if each.member("method") == nil, isAnswer { return }
            if let id = RPCMessage.recoverableID(of: each) { ids.append(id) }
        }
        if text.kind == .array { text.elements { look(text[$0]) } } else { look(text) }
        return ids
    }
}

import BridgeCore
import NIOCore

/// The body of a POST: one JSON-RPC message, or a batch of them, looked at once.
struct PostBody: Sendable {
    let text: JSONText
    /// The one message; `nil` for a batch.
    let message: RPCMessage?
    private let batch: [RPCMessage]

    /// - Returns: refusals carry the id of what was refused, where there is one.
    static func read(_ bytes: ByteBuffer, limit: Int) -> Result<PostBody, PostRefusal> {
        let text: JSONText
        do {
            text = try JSONText(validating: bytes, limits: JSONLimits(maximumBytes: limit))
        } catch {
            return .failure(PostRefusal(.parseError(error)))
        }
        guard text.kind == .array else {
            do throws(RPCError) {
                return .success(PostBody(text: text, message: try RPCMessage(text), batch: []))
            } catch {
                let id = RPCMessage.recoverableID(of: text)?.bytes
                return .failure(PostRefusal(.invalidRequest("\(error)"), id: id))
            }
        }
        return Self.readBatch(text)
    }

    private static func readBatch(_ text: JSONText) -> Result<PostBody, PostRefusal> {
        var batch: [RPCMessage] = []
        var failure: RPCError?
        text.elements { element in
            guard failure == nil else { return }
            do throws(RPCError) { batch.append(try RPCMessage(text[element])) } catch { failure = error }
        }
        if let failure { return .failure(PostRefusal(.invalidRequest("\(failure)"))) }
        guard !batch.isEmpty else { return .failure(PostRefusal(.invalidRequest("an empty batch"))) }
        return .success(PostBody(text: text, message: nil, batch: batch))
    }

    private var messages: [RPCMessage] { self.message.map { [$0] } ?? self.batch }

    var isBatch: Bool { self.message == nil }

    /// What a log calls it.
    var method: String {
        guard let message = self.message else { return "batch" }
        return message.method ?? "response"
    }

    /// The raw ids of the requests in it, each of which gets one answer.
    var requestIDs: [RPCID] {
        self.messages.compactMap { $0.shape == .request ? $0.rpcID : nil }
    }

    /// Whether it may be handed to a second worker when the first died with it: nothing in it does more than read.
    var mayBeRepeated: Bool {
        self.messages.allSatisfy { message in
            switch message.shape {
            case .notification, .result, .error: true
            case .request: message.method.map(Self.readingMethods.contains) ?? false
            }
        }
    }

    private static let readingMethods: Set<String> = [
        "initialize", "ping", "tools/list", "prompts/list", "resources/list", "resources/templates/list",
        "resources/read", "prompts/get", "completion/complete",
    ]
}

/// A body that is no message, and whom to tell.
struct PostRefusal: Error {
    let refusal: Refusal
    let id: ByteBuffer?

    init(_ refusal: Refusal, id: ByteBuffer? = nil) {
        self.refusal = refusal
        self.id = id
    }
}

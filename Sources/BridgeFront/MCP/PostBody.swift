import BridgeCore
import NIOCore

/// What is to be known of the body of a POST, looked at once: one JSON-RPC message, or a batch of them. It keeps nothing of
/// the body's bytes.
struct PostBody: Sendable {
    let isBatch: Bool
    /// What a log calls it.
    let method: String
    /// The requests in it, each of which gets one answer.
    let requestIDs: [RPCID]
    /// The raw id of the one message; `nil` for a batch.
    let id: ByteBuffer?
    /// Whether it may be handed to a second worker when the first died with it: nothing in it does more than read.
    let mayBeRepeated: Bool

    /// - Returns: refusals carry the id of what was refused, where there is one.
    static func read(_ bytes: ByteBuffer, limit: Int) -> Result<PostBody, PostRefusal> {
        let text: JSONText
        do {
            text = try JSONText(validating: bytes, limits: JSONLimits(maximumBytes: limit))
        } catch {
            return .failure(PostRefusal(.parseError(error)))
        }
        do throws(RPCError) {
            guard text.kind == .array else { return .success(PostBody(try RPCMessage(text))) }
            guard let batch = try RPCBatch.messages(of: text) else {
                return .failure(PostRefusal(.invalidRequest(RPCBatch.limit)))
            }
            return .success(PostBody(batch))
        } catch {
            let id = text.kind == .array ? nil : RPCMessage.recoverableID(of: text)?.bytes
            return .failure(PostRefusal(.invalidRequest("\(error)"), id: id))
        }
    }

    private init(_ message: RPCMessage) {
        let id = message.rpcID
        self.isBatch = false
        self.method = message.method ?? "response"
        self.id = id?.bytes
        self.requestIDs = message.shape == .request ? id.map { [$0] } ?? [] : []
        self.mayBeRepeated = Self.mayBeRepeated(message)
    }

    private init(_ batch: [RPCMessage]) {
        self.isBatch = true
        self.method = "batch"
        self.id = nil
        self.requestIDs = batch.compactMap { $0.shape == .request ? $0.rpcID : nil }
        self.mayBeRepeated = batch.allSatisfy(Self.mayBeRepeated)
    }

    private static func mayBeRepeated(_ message: RPCMessage) -> Bool {
        switch message.shape {
        case .notification, .result, .error: true
        case .request: message.method.map(Self.readingMethods.contains) ?? false
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

import BridgeCore
import BridgeMCP
import NIOCore

/// What is to be known of the body of a POST, looked at once: one JSON-RPC message, or a batch of them. It keeps nothing of
/// the body's bytes but ids.
struct PostBody: Sendable {
    /// The requests in it, each of which gets one answer.
    enum Requests: Sendable {
        /// One message; `nil` when it is no request.
        case one(RPCID?)
        case batch([RPCID])
    }

    let requests: Requests
    /// What a log calls it.
    let method: String
    /// The raw id of the one message; `nil` for a batch.
    let id: ByteBuffer?
    /// Whether it may be handed to a second worker when the first died with it: nothing in it does more than read.
    let mayBeRepeated: Bool

    var requestIDs: [RPCID] {
        switch self.requests {
        case .one(let id): id.map { [$0] } ?? []
        case .batch(let ids): ids
        }
    }

    var hasRequests: Bool {
        switch self.requests {
        case .one(let id): id != nil
        case .batch(let ids): !ids.isEmpty
        }
    }

    var isBatch: Bool {
        if case .batch = self.requests { true } else { false }
    }

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
        let method = message.method
        self.method = method ?? "response"
        self.id = id?.bytes
        switch message.shape {
        case .request:
            self.requests = .one(id)
            self.mayBeRepeated = Self.mayBeRepeated(method)
        case .notification, .result, .error:
            self.requests = .one(nil)
            self.mayBeRepeated = true
        }
    }

    private init(_ batch: [RPCMessage]) {
        self.requests = .batch(batch.compactMap { $0.shape == .request ? $0.rpcID : nil })
        self.method = "batch"
        self.id = nil
        self.mayBeRepeated = batch.allSatisfy { $0.shape != .request || Self.mayBeRepeated($0.method) }
    }

    private static func mayBeRepeated(_ method: String?) -> Bool {
        method.map { MethodTable.standard.onlyReads($0) } ?? false
    }
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

import BridgeCore
import NIOCore

/// What the body of a POST holds.
enum PostedMessages {
    case one(RPCMessage)
    /// Of 1 to ``RPCBatch/maximumMessages`` messages; none where there are fewer, or more.
    case batch([RPCMessage])

    /// Why a body is refused, and the id of what is in it, if it has one.
    struct Refusal: Error {
        let fault: ToldFault
        let id: ByteBuffer?
    }

    init(_ body: ByteBuffer?) throws(Refusal) {
        guard let body else { throw Refusal(fault: .invalidRequest("The body is empty"), id: nil) }
        let text = JSONText(trusting: body)
        do {
            if text.kind == .array {
                self = .batch(try RPCBatch.messages(of: text) ?? [])
            } else {
                self = .one(try RPCMessage(text))
            }
        } catch {
            throw Refusal(fault: .invalidRequest("\(error)"), id: RPCMessage.recoverableID(of: text)?.bytes)
        }
    }

    var isBatch: Bool {
        switch self {
        case .one: false
        case .batch: true
        }
    }

    /// The id by which a refusal of all is told.
    var firstID: ByteBuffer? {
        switch self {
        case .one(let message): message.idBytes
        case .batch(let messages): messages.first?.idBytes
        }
    }
}

import BridgeCore
import NIOCore

/// One line of a client: a message, or a batch of them. Its bytes go on as they are.
struct StdioMessage {
    struct Request {
        let id: RPCID
        let method: String
        /// Lists from the beginning are remembered; a page is not.
        let hasCursor: Bool
    }

    enum Problem: Error {
        /// It cannot be read; this is its answer where it asks for one.
        case refused(String, answer: ByteBuffer?)
    }

    let bytes: ByteBuffer
    private let messages: [RPCMessage]

    init(_ line: ByteBuffer) throws(Problem) {
        let text: JSONText
        do throws(JSONError) { text = try JSONText(validating: line) } catch {
            let fragment = RPCFragment.read(line).fragment
            let id = fragment.flatMap { $0.kind == .request ? $0.id.bytes : nil }
            throw .refused(
                "a line is not JSON: \(error)",
                answer: id.map { Fault.parseError.told(["what": "\(error)"]).reply(to: $0) })
        }
        do throws(RPCError) {
            self.messages = text.kind == .array ? try RPCBatch.messages(of: text) ?? [] : [try RPCMessage(text)]
        } catch {
            let id = RPCMessage.recoverableID(of: text)
            throw .refused(
                "a line is not a message: \(error)",
                answer: id.map { Fault.invalidRequest.told(["what": "\(error)"]).reply(to: $0.bytes) })
        }
        guard !self.messages.isEmpty else { throw .refused(RPCBatch.limit, answer: nil) }
        self.bytes = text.bytes
    }

    /// The requests in it, each of which gets one answer.
    var requests: [Request] {
        self.messages.compactMap { message in
            guard message.shape == .request, let id = message.rpcID else { return nil }
            return Request(id: id, method: message.method ?? "", hasCursor: message.param("cursor") != nil)
        }
    }

    /// Whether sending it twice does no harm where it holds no request: an answer counts once.
    var isRepeatable: Bool {
        self.messages.allSatisfy { $0.shape == .result || $0.shape == .error || $0.method == Self.initialized }
    }

    var isInitialize: Bool { self.messages.count == 1 && self.messages[0].method == "initialize" }
    var isInitialized: Bool { self.messages.contains { $0.method == Self.initialized } }

    /// The request that the client does not want any more.
    var cancelled: RPCID? {
        self.messages.first { $0.method == "notifications/cancelled" }
            .flatMap { message in message.param("requestId").flatMap { RPCID(message.text[$0]) } }
    }

    /// The questions that it answers.
    var answered: [RPCID] {
        self.messages.compactMap { $0.shape == .result || $0.shape == .error ? $0.rpcID : nil }
    }

    private static let initialized = "notifications/initialized"
}

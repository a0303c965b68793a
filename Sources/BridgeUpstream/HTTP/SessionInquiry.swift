import BridgeCore
import BridgeHTTPClient
import NIOCore
import NIOHTTP1

/// Asks a server whether it knows a session, by a `ping` in it, when it has refused a message and does not say what of it
/// it minds. Confined to its event loop.
final class SessionInquiry {
    enum Verdict: Equatable {
        /// It takes messages of the session.
        case known
        /// It takes none.
        case unknown(isRevision: Bool)
        /// It does not say.
        case open
    }

    /// Whoever waits has waited for one answer already.
    private static let time = TimeAmount.seconds(5)

    /// The session that is asked after.
    let session: Int
    /// What was refused.
    private(set) var refused: [RefusedPost] = []
    private var transfer: MCPTransfer?
    private var head: HTTPResponseHead?
    private var done: ((SessionInquiry, Verdict) -> Void)?

    /// - Parameter done: called at most once.
    init(session: Int, _ done: @escaping (SessionInquiry, Verdict) -> Void) {
        self.session = session
        self.done = done
    }

    func add(_ refused: RefusedPost) { self.refused.append(refused) }

    func start(to destination: MCPDestination, _ send: (HTTPRequest, SessionInquiry) -> MCPTransfer) {
        let ping = JSONWriter.object {
            $0.member("jsonrpc", "2.0")
            $0.member("id", "session-\(self.session)")
            $0.member("method", "ping")
        }
        var request = destination.post(ping.bytes)
        request.limits.total = Self.time
        self.transfer = send(request, self)
    }

    /// Ends it without a word.
    func cancel() {
        self.done = nil
        self.transfer?.cancel()
        self.transfer = nil
    }

    private func end(_ verdict: Verdict) {
        let done = self.done
        self.cancel()
        done?(self, verdict)
    }

    /// What the answer to the `ping` says of the session. Pure.
    static func verdict(_ status: HTTPResponseStatus, _ body: ByteBuffer?) -> Verdict {
        let text = body.flatMap { try? JSONText(validating: $0) }
        let error = text.flatMap { $0.kind == .object ? $0.value("error") : nil }
        switch status.code {
        case 200..<300: return .known
        // It has looked at what the message says.
        case _ where error?.int("code") == Fault.methodNotFound.code: return .known
        case 400 where HTTPRefusal.speaksOfRevisions(body, error: error): return .unknown(isRevision: true)
        case 400, 404: return .unknown(isRevision: false)
        default: return .open
        }
    }
}

/// A message that was refused, and how.
struct RefusedPost {
    let post: HTTPPost
    let head: HTTPResponseHead
    let body: ByteBuffer?
}

extension SessionInquiry: MCPTransferDelegate {
    func received(_ head: HTTPResponseHead, of transfer: MCPTransfer) {
        self.head = head
        // What else there is to it is of no interest.
        if head.status.code < 300 { self.end(.known) }
    }

    func received(_ event: ServerSentEvent, of transfer: MCPTransfer) {}

    func ended(_ transfer: MCPTransfer, body: ByteBuffer?) {
        guard let head else { return self.end(.open) }
        self.end(Self.verdict(head.status, body))
    }

    func failed(_ transfer: MCPTransfer, _ failure: HTTPFailure) { self.end(.open) }
}

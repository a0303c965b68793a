import BridgeCore
import BridgeHTTPClient
import NIOCore
import NIOHTTP1

/// The stream.
extension EventStreamHTTP: MCPTransferDelegate {
    func received(_ head: HTTPResponseHead, of transfer: MCPTransfer) {
        self.carrier.took(head)
        self.delegate?.connectionSpoke(self)
        self.source = transfer.address
        if head.status.code == 200, head.headers.mayBeEvents {
            self.hasBeenReauthorized = false
            self.carrier.remember(transfer.address)
            self.carrier.tokens?.accepted(generation: self.generation)
            return
        }
        if (200..<300).contains(head.status.code), head.headers.announcePage {
            self.page = head
            return
        }
        transfer.cancel()
        self.stream = nil
        if head.status.code == 401 || (head.status.code == 403 && HTTPRefusal.wantsSignIn(head.headers)) {
            return self.unauthorized(head)
        }
        if self.generation == nil, head.status.mayWantToken, let told = self.carrier.tokens?.wondered() {
            return self.lose(.unauthorized("\(told) (\(self.words.sentence(head.status, nil)))"))
        }
        self.hasNoStream(head, nil)
    }

    /// - Parameter page: what there is in the place of a stream.
    private func hasNoStream(_ head: HTTPResponseHead, _ page: ByteBuffer?) {
        let words = self.words.sentence(head.status, page)
        if page?.asksForSignIn ?? false { return self.lose(.signInNeeded("it answers with a page: \(words)")) }
        let told = "it gives no stream of events (\(words))"
        if head.status.isBusy, let retryAfter = RetryAfter.seconds(head.headers, now: WallClock.seconds) {
            return self.lose(.busy(told, retryAfter: retryAfter))
        }
        self.hasNoStream(head.status.code < 300 || head.status.isOfForeigners ? .foreign(told) : .unreachable(told))
    }

    private func hasNoStream(_ loss: HTTPLoss) {
        if case .opening = self.state, loss.isOfPlace, self.carrier.goBack() { return self.openStream() }
        self.lose(loss)
    }

    func heard(_ transfer: MCPTransfer) { self.delegate?.connectionSpoke(self) }

    func received(_ event: ServerSentEvent, of transfer: MCPTransfer) {
        guard let data = event.data, data.readableBytes > 0 else { return }
        if event.name == "endpoint" { return self.named(String(buffer: data)) }
        do {
            let message = try JSONText(validating: data)
            guard case .opening = self.state else { return self.hear(message) }
            if !self.early.add(message) {
                self.report("it says more than \(EarlyMessages.limit) before it names an address; the rest is dropped")
            }
        } catch {
            let words = ByteBuffer(string: self.words.quoted(data))
            self.delegate?.connection(self, couldNotRead: Unreadable(bytes: words, reason: "\(error)"), answering: nil)
        }
    }

    /// The address for what is said to the server.
    private func named(_ reference: String) {
        guard let source, case .opening = self.state else { return }
        guard let endpoint = source.resolving(reference.trimmingBlanks), source.isSameServer(as: endpoint) else {
            let named = source.resolving(reference).map { "\($0)" } ?? "'\(reference.prefix(100))'"
            return self.lose(
                .unreachable(
                    "its stream at \(source) names \(named) for messages, which is another server: nothing is sent there"
                ))
        }
        self.endpoint = endpoint
        let early = self.early.messages
        self.early = EarlyMessages()
        self.opened()
        for message in early { self.hear(message) }
    }

    private func hear(_ message: JSONText) {
        guard message.kind == .array else { return self.take(message, from: nil) }
        message.elements { self.take(message[$0], from: nil) }
    }

    /// - Parameter post: in whose body it came.
    func take(_ text: JSONText, from post: HTTPPost?) {
        guard case .open = self.state else { return }
        let match = AnswerMatch.match(text, to: post?.request) { self.requests[$0] != nil }
        guard let answered = match.answered, let answeredPost = self.requests.removeValue(forKey: answered) else {
            // Of an answer that has been told in one place, the other says nothing.
            if let post, !post.isForgotten, OddMessage(text).meaning == .answer { return }
            self.delegate?.connection(self, received: text, answering: nil)
            return
        }
        self.pendingLoss = nil
        // Of what comes over the stream that has been told.
        if post != nil { self.delegate?.connectionSpoke(self) }
        self.carrier.tokens?.accepted(generation: answeredPost.generation)
        if answeredPost.kind == .greeting { self.greeted(match.message) }
        if answeredPost.kind == .request { self.session.succeeded(inSession: answeredPost.session) }
        self.delegate?.connection(self, received: match.message, answering: answered)
        answeredPost.answered()
    }

    private func greeted(_ message: JSONText) {
        guard let result = message.value("result") else { return self.session.greetingRefused() }
        self.session.greeted(id: nil, revision: result.string("protocolVersion"))
    }

    func ended(_ transfer: MCPTransfer, body: ByteBuffer?) {
        self.stream = nil
        if let page { return self.hasNoStream(page, body) }
        self.hasNoStream(.unreachable("it ended its stream"))
    }

    func failed(_ transfer: MCPTransfer, _ failure: HTTPFailure) {
        self.stream = nil
        if let page { return self.hasNoStream(page, nil) }
        let reason = failure.description
        self.hasNoStream(failure.leadsToSignIn ? .signInNeeded(reason) : .unreachable(reason))
    }
}

/// What a server says before it names an address, as far as it is kept.
struct EarlyMessages {
    private static let most = 64
    private static let mostOctets = 1 << 20
    static let limit = "\(most) messages or 1 MiB, a fixed limit"

    private(set) var messages: [JSONText] = []
    private var octets = 0

    /// - Returns: whether there is room for it.
    mutating func add(_ message: JSONText) -> Bool {
        guard self.messages.count < Self.most, self.octets + message.count <= Self.mostOctets else { return false }
        self.octets += message.count
        self.messages.append(message)
        return true
    }
}

import BridgeCore
import BridgeHTTPClient
import BridgeMCP
import NIOCore
import NIOHTTP1

// What comes for a post.
extension StdioRelay {
    func received(_ head: HTTPResponseHead, of post: StdioPost) {
        // Whether another session is opened, only the answer tells.
        if head.status != .serviceUnavailable, post !== self.renewal { self.present() }
        if head.status.code < 300 { post.offered = head.headers.first(name: "Mcp-Session-Id") }
    }

    func received(_ message: JSONText, of post: StdioPost) {
        defer { self.output.changed(self) }
        guard message.member("method") == nil else { return self.output.write(message) }
        guard let id = message.value("id").flatMap({ RPCID($0) }) else {
            // An error that names no request, where only one can be meant.
            guard let error = message.value("error"), post.open.count == 1 else { return }
            return self.refuse(post, with: error)
        }
        guard let request = post.take(id) else { return }
        if let result = message.value("result") {
            if post.isOwn { self.compare(result, of: request) }
            self.remembered.heard(result, of: request)
            if post.message.isInitialize { self.opened(result, by: post) } else { self.wishes.granted(request) }
        }
        guard post.isOwn else { return self.output.write(message) }
        if post !== self.renewal, message.member("error") != nil {
            self.settings.notes.say("a request could not be repeated in the new session", ["method": request.method])
        }
    }

    func ended(_ post: StdioPost, _ end: MCPExchange.End) {
        guard !self.isOver else { return }
        if post === self.renewal { return self.renewed(post, end) }
        switch end {
        case .answered, .unanswered: post.open.isEmpty ? self.taken(post) : self.lost(post)
        case .refused(let head, let body): self.refused(post, head, body)
        case .failed(let failure): failure.mayHaveRun ? self.lost(post) : self.away(post, "\(failure)")
        }
    }

    private func taken(_ post: StdioPost) {
        if post.message.isInitialized {
            self.initialized = post.message
            self.listen()
        }
        self.close(post)
    }

    /// Its connection was lost, and it may have been read.
    private func lost(_ post: StdioPost) {
        if post.isRepeatable {
            post.isRepeated = true
            return self.away(post, "the connection was lost")
        }
        self.refuse(post, Fault.outcomeUnknown.told(["what": "The connection to the bridge was lost"]))
        self.close(post)
    }

    /// A request has heard nothing for too long.
    func fellSilent(_ post: StdioPost) {
        if post === self.renewal {
            post.drop()
            return self.renewed(post, .failed(HTTPFailure(.silent(self.settings.silence), mayHaveRun: true)))
        }
        let limit = self.settings.silence.nanoseconds / 1_000_000
        let words = "The bridge said nothing for \(limit) ms (MCP_BRIDGE_PROXY_TIMEOUT_MS); the request may have run"
        let late = post.open
        self.refuse(post, ToldFault(.timeout, message: words))
        for request in late {
            self.tell("notifications/cancelled", JSONWriter.object { $0.member("requestId", request.id.text) })
        }
        self.close(post)
    }

    private func tell(_ method: String, _ params: JSONText) {
        let message = JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("method", method)
            message.member("params", params)
        }
        if let message = try? StdioMessage(message.bytes) { self.begin(message) }
    }

    private func refused(_ post: StdioPost, _ head: HTTPResponseHead, _ body: ByteBuffer?) {
        let error = body.flatMap { try? JSONText(validating: $0) }?.value("error")
        let word = error?.value("data")?.string("code") ?? error?.string("code")
        // A bridge that has come back may serve MCP at another path.
        if head.status == .notFound, word == Fault.notFound.word, self.settings.isLocal {
            return self.away(post, "\(head.status)")
        }
        if head.status == .notFound, let session = self.destination?.session, !post.message.isInitialize,
            !post.isRenewed
        {
            post.isRenewed = true
            // Another may have been opened since it was sent.
            if post.session == session { self.isLost = true }
            return self.send(post)
        }
        if word == Fault.sessionUnavailable.word || word == Fault.draining.word {
            return self.away(post, "\(head.status)")
        }
        if post.open.isEmpty { self.settings.notes.say("the bridge refuses a message", ["status": "\(head.status)"]) }
        if let error, error.int("code") != nil {
            self.refuse(post, with: error)
        } else {
            self.refuse(post, Fault.internal.told(["what": "The bridge answered \(head.status)"]))
        }
        self.close(post)
    }

    /// Passes an error on to whoever waits.
    private func refuse(_ post: StdioPost, with error: JSONText) {
        self.answer(post) { RPCReply.error(id: $0.id.bytes, error) }
    }
}

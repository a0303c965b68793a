import BridgeCore
import BridgeHTTPClient
import NIOCore
import NIOHTTP1

// The session.
extension StdioRelay: MCPListeningDelegate {
    func opened(_ result: JSONText) {
        self.destination?.revision = result.string("protocolVersion")
        self.isLost = false
        self.listening?.cancel()
        self.listening = nil
    }

    func listen() {
        guard let destination, destination.session != nil, self.listening == nil, !self.isOver else { return }
        let listening = MCPListening(to: destination, over: self.connections, self)
        self.listening = listening
        listening.isReading = self.isReading
        listening.start()
    }

    /// The bridge does not know the session any more: opens another one by the client's own words.
    func renew() {
        guard self.renewal == nil, let hello else { return }
        StdioNotes.say("the session is gone; opening another one")
        let post = StdioPost(hello, self)
        self.renewal = post
        self.send(post)
    }

    func renewed(_ post: StdioPost, _ end: MCPExchange.End) {
        self.renewal = nil
        guard case .answered = end, post.open.isEmpty else { return self.missed("the bridge opens no session") }
        if let initialized = self.initialized { self.begin(initialized) }
        self.sendHeld()
    }

    func received(_ message: JSONText, of listening: MCPListening) {
        if message.member("method") != nil { self.output.write(message) }
        self.output.changed(self)
    }

    func opened(_ listening: MCPListening) { self.present() }

    func lost(_ listening: MCPListening, _ failure: HTTPFailure?) {
        if let failure { StdioNotes.say("the stream of the session is lost; trying again", ["reason": "\(failure)"]) }
    }

    func ended(_ listening: MCPListening, status: HTTPResponseStatus) {
        self.listening = nil
        guard status == .notFound else { return }
        self.isLost = true
        self.renew()
    }
}

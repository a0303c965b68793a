import BridgeCore
import BridgeHTTPClient
import NIOCore
import NIOHTTP1

// The session.
extension StdioRelay: MCPListeningDelegate {
    func opened(_ result: JSONText, by post: StdioPost) {
        if !post.isOwn { self.wishes = StdioWishes() }
        self.destination?.session = post.offered
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
        if self.awaySince == nil { self.settings.notes.say("the session is gone; opening another one") }
        let post = StdioPost(hello, self, isOwn: true)
        self.renewal = post
        self.send(post)
    }

    func renewed(_ post: StdioPost, _ end: MCPExchange.End) {
        self.renewal = nil
        // An error is an answer, too.
        guard case .answered = end, post.open.isEmpty, !self.isLost else {
            return self.missed("the bridge opens no session")
        }
        self.introduce()
        self.present()
        self.sendHeld()
        self.lookAtGuesses()
    }

    func received(_ message: JSONText, of listening: MCPListening) {
        if message.member("method") != nil { self.output.write(message) }
        self.output.changed(self)
    }

    func opened(_ listening: MCPListening) { self.present() }

    func lost(_ listening: MCPListening, _ failure: HTTPFailure?) {
        guard let failure else { return }
        self.settings.notes.say("the stream of the session is lost; trying again", ["reason": "\(failure)"])
        self.doubt(isSession: false)
    }

    func ended(_ listening: MCPListening, status: HTTPResponseStatus) {
        guard listening === self.listening else { return }
        self.listening = nil
        guard status == .notFound else { return }
        if self.settings.isLocal { return self.doubt(isSession: true) }
        self.isLost = true
        self.renew()
    }
}

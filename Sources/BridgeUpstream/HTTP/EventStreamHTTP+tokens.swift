import BridgeCore
import BridgeOAuth
import NIOCore
import NIOHTTP1

/// The stream needs a token, as each message does.
extension EventStreamHTTP {
    /// The stream is refused.
    func unauthorized(_ head: HTTPResponseHead) {
        let words = self.words.challenge(head.status, head.headers, nil)
        guard let tokens = self.carrier.tokens, head.status.code == 401 else { return self.lose(.signInNeeded(words)) }
        switch tokens.refused(generation: self.generation, BearerChallenge(head.headers["WWW-Authenticate"])) {
        case .again, .wait:
            guard !self.hasBeenReauthorized else { return self.lose(.signInNeeded(words)) }
            self.hasBeenReauthorized = true
            self.openStream()
        case .refuse(let told): self.lose(.unauthorized("\(told) (\(words))"))
        }
    }
}

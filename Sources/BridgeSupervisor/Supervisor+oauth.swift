import BridgeCore
import BridgeLink
import NIOCore

/// What is asked of the OAuth of an upstream, which its worker alone has.
extension Supervisor {
    /// What a redirect brought finds its upstream by its `state`.
    func passToUpstream(_ exchange: Exchange, _ name: String, _ request: OAuthRequest) {
        var name = name
        if name.isEmpty, case .redirect(let query) = request { name = SignInState.upstream(ofRedirect: query) ?? "" }
        guard let slot = self.slots[.upstream(name)] else {
            return self.error(exchange, 404, "There is no upstream of that name.")
        }
        guard slot.phase == .ready, let control = slot.control else {
            return self.error(exchange, 503, "The worker of '\(name)' is starting. Try again.")
        }
        exchange.delegate = AnswerWaiter { _ in }
        control.ask(header: WorkerRequest.oauth(request).text) { [weak self] answer in
            switch answer {
            case .ended(let header, let payload): exchange.end(header: header, payload: payload)
            case .failed: self?.error(exchange, 503, "The worker of '\(name)' has ended. Try again.")
            }
        }
    }
}

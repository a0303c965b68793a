import BridgeConfiguration
import BridgeCore
import BridgeOAuth
import Logging
import NIOCore

/// The upstream's tokens.
extension UpstreamCore: OAuthDeskDelegate {
    /// Before anything connects. Tokens are kept good though nobody calls, as long as the worker lives.
    func openOAuth() {
        guard case .http(let target) = self.configuration.transport, let settings = self.configuration.oauth else {
            return
        }
        do throws(StateSeal.Flaw) {
            let seal = try StateSeal(base64Key: settings.key?.value)
            let desk = OAuthDesk(
                settings, self.configuration, target, seal: seal, loop: self.loop, logger: self.logger)
            desk.delegate = self
            self.oauth = desk
            desk.start()
        } catch {
            self.logger.error("OAuth cannot be used", metadata: ["error": "\(error)"])
        }
    }

    /// Another address is another server, with other tokens; other settings are another client's.
    func reopenOAuth(after before: UpstreamConfiguration) {
        guard
            before.oauth != self.configuration.oauth || before.transport.address != self.configuration.transport.address
        else { return }
        self.memory.endPeace()
        self.endOAuth()
        self.oauth = nil
        self.openOAuth()
    }

    /// The desk is kept until what it is at is done: a token that is on its way is the only good one.
    func endOAuth() {
        guard let oauth = self.oauth else { return }
        let id = ObjectIdentifier(oauth)
        self.endingDesks[id] = oauth
        oauth.end()
        oauth.whenClosed(within: .minutes(5)) { [weak self] in self?.endingDesks[id] = nil }
    }

    func serveOAuth(_ request: OAuthRequest, _ done: @escaping (OAuthAnswer) -> Void) {
        guard let oauth = self.oauth else {
            return done(OAuthAnswer(isDone: false, text: "'\(self.configuration.name)' has no OAuth"))
        }
        oauth.serve(request, done)
    }

    func deskChanged(_ desk: OAuthDesk) { if desk === self.oauth { self.announcer.stateChanged() } }

    /// What was given up for want of tokens is tried at once.
    func deskHasTokens(_ desk: OAuthDesk) { if desk === self.oauth { self.lane.hurry() } }

    func deskHasSignedIn(_ desk: OAuthDesk) {
        guard desk === self.oauth else { return }
        self.memory.endPeace()
        for lane in self.allLanes { lane.askAnew() }
        self.lane.hurry()
    }
}

extension TransportSettings {
    fileprivate var address: String? {
        switch self {
        case .http(let target): target.url.value
        case .stdio: nil
        }
    }
}

extension UpstreamStatus {
    /// Tells of the tokens, and by the word of the whole, where it is for them that there is no connection.
    mutating func take(_ report: OAuthReport) {
        if report.phase != .none { self.oauth = report }
        // Where there is a connection all the same, the status would say nothing of it.
        if report.phase.isTroubled || report.phase == .retrying, self.isConnected {
            self.notes.append("its token: \(report.words)")
        }
        switch self.phase {
        case .backoff, .connecting, .signIn: break
        case .ready, .idle, .failed, .stopped, .signingIn, .tokensRefused, .misconfigured: return
        }
        switch report.phase {
        case .signInNeeded: self.phase = .signIn
        case .signingIn: self.phase = .signingIn
        case .refused: self.phase = .tokensRefused
        case .misconfigured: self.phase = .misconfigured
        case .none, .ok, .due, .retrying: break
        }
    }
}

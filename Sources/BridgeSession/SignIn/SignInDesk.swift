import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// Asks the owner to sign in to a server, where a call of the owner's own client cannot run without: the client is told which
/// page to open (`-32042`). All others hear in words that somebody has to sign in, and never where: who opens that page decides
/// as whom the bridge is known there.
///
/// Calls that come while a page waits are told of the same one. Confined to the event loop.
final class SignInDesk {
    /// A page that waits for the owner.
    private struct Page {
        let url: String
        let id: String
        let until: Int
    }

    private enum State {
        case asking([(Page?) -> Void])
        case open(Page)
    }

    private let control: LinkConnection
    private let clock: () -> Int
    private var states: [String: State] = [:]

    /// - Parameter control: to the supervisor, which opens what a browser comes back to.
    init(on control: LinkConnection, clock: @escaping () -> Int = { Int(WallClock.seconds()) }) {
        self.control = control
        self.clock = clock
    }

    /// Whether this caller may be asked, for this server.
    func mayAsk(_ caller: Caller, about upstream: UpstreamLink) -> Bool {
        caller.isOwner && caller.capabilities.contains(.elicitationURL) && caller.revision >= .v2025_11_25
            && upstream.needsSignIn
    }

    /// The answer to a request that cannot run before somebody has signed in; nil where no page is to be had: then it is told
    /// what it would have been told anyway.
    func answer(
        to id: ByteBuffer, of caller: Caller, about upstream: UpstreamLink, _ done: @escaping (ByteBuffer?) -> Void
    ) {
        let name = upstream.route.name
        self.page(for: name, caller) { page in
            done(page.map { Self.error(id, name, $0) })
        }
    }

    private func page(for name: String, _ caller: Caller, _ done: @escaping (Page?) -> Void) {
        switch self.states[name] {
        case .open(let page) where page.until > self.clock(): return done(page)
        case .asking(let others):
            self.states[name] = .asking(others + [done])
            return
        case .open, nil: self.states[name] = .asking([done])
        }
        // Whoever is elsewhere has a browser there.
        let redirect = caller.principal.hasPrefix("uid:") ? nil : "front"
        let request = ControlRequest.oauth(name: name, .begin(redirect: redirect, fresh: false))
        self.control.ask(header: request.text) { [weak self] answer in
            var invitation: SignInInvitation?
            if case .ended(_, let payload?) = answer {
                invitation = OAuthAnswer(JSONText(trusting: payload))?.invitation
            }
            self?.heard(invitation, of: name)
        }
    }

    private func heard(_ invitation: SignInInvitation?, of name: String) {
        guard case .asking(let waiting) = self.states.removeValue(forKey: name) else { return }
        let page = invitation.map { Page(url: $0.url, id: Self.newID(), until: $0.until) }
        if let page {
            self.states[name] = .open(page)
            self.control.ask(header: ControlRequest.oauth(name: name, .wait).text) { [weak self] _ in
                if case .open(let open)? = self?.states[name], open.id == page.id { self?.states[name] = nil }
            }
        }
        for done in waiting { done(page) }
    }

    private static func newID() -> String {
        "sign-in-" + String(UInt64.random(in: .min ... .max), radix: 36)
    }

    private static func error(_ id: ByteBuffer, _ name: String, _ page: Page) -> ByteBuffer {
        let words = "'\(name)' needs you to sign in. Open the page, sign in there, then try again."
        let data = JSONWriter.object { data in
            data.member("code", "sign_in_needed")
            data.member("upstream", name)
            data.memberArray("elicitations") { list in
                list.object {
                    $0.member("mode", "url")
                    $0.member("elicitationId", page.id)
                    $0.member("url", page.url)
                    $0.member("message", words)
                }
            }
        }
        return RPCReply.error(id: id, code: RequiredElicitations.code, message: words, data: data)
    }
}

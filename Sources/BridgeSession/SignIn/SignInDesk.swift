import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// Asks the owner to sign in to a server, where a call of the owner's own client cannot run without: the client is told which
/// page to open (`-32042`). All others hear in words that somebody has to sign in, and never where: who opens that page decides
/// as whom the bridge is known there.
///
/// Calls that come while a page waits are told of the same one. The sessions that were told of it hear when somebody has signed
/// in there (client/elicitation, "Completion Notifications"): as soon as the server can be called. Confined to the event loop.
final class SignInDesk {
    /// A page that waits for the owner.
    private struct Page {
        let url: String
        let id: String
        let until: Int
        let upstream: UpstreamLink
        /// The sessions that know of it.
        var told: Set<UInt64> = []
    }

    private enum State {
        case asking([(Page?) -> Void])
        case open(Page)
        /// Somebody has signed in; the server is being connected to, which is waited for until then.
        case done(Page, until: Int)
    }

    /// So many sessions are told that somebody has signed in.
    private static let maximumTold = 1_024
    /// How long a server that has been signed in to may take to be there, in seconds, before that is told anyway.
    private static let patience = 10

    /// Tells the session of this number.
    var tell: ((ListChange, UInt64) -> Void)?
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
        self.page(for: upstream, caller) { [weak self] page in
            if page != nil, let session = caller.number { self?.note(session, knowsPageOf: name) }
            done(page.map { Self.error(id, name, $0) })
        }
    }

    private func page(for upstream: UpstreamLink, _ caller: Caller, _ done: @escaping (Page?) -> Void) {
        let name = upstream.route.name
        switch self.states[name] {
        case .open(let page) where page.until > self.clock(): return done(page)
        case .asking(let others):
            self.states[name] = .asking(others + [done])
            return
        // Another page would be for another sign-in.
        case .done: return done(nil)
        case .open, nil: self.states[name] = .asking([done])
        }
        // Whoever is elsewhere has a browser there.
        let redirect = caller.principal.hasPrefix("uid:") ? nil : "front"
        let request = ControlRequest.oauth(name: name, .begin(redirect: redirect, fresh: false))
        self.control.ask(header: request.text) { [weak self] answer in
            self?.heard(Self.answer(answer)?.invitation, of: upstream)
        }
    }

    private static func answer(_ answer: Answer) -> OAuthAnswer? {
        guard case .ended(_, let payload?) = answer else { return nil }
        return OAuthAnswer(JSONText(trusting: payload))
    }

    private func heard(_ invitation: SignInInvitation?, of upstream: UpstreamLink) {
        let name = upstream.route.name
        guard case .asking(let waiting) = self.states.removeValue(forKey: name) else { return }
        let page = invitation.map { Page(url: $0.url, id: Self.newID(), until: $0.until, upstream: upstream) }
        if let page {
            self.states[name] = .open(page)
            self.control.ask(header: ControlRequest.oauth(name: name, .wait).text) { [weak self] answer in
                self?.ended(page.id, of: name, isDone: Self.answer(answer)?.isDone ?? false)
            }
        }
        for done in waiting { done(page) }
    }

    private func note(_ session: UInt64, knowsPageOf name: String) {
        guard case .open(var page) = self.states[name], page.told.count < Self.maximumTold else { return }
        page.told.insert(session)
        self.states[name] = .open(page)
    }

    private func ended(_ id: String, of name: String, isDone: Bool) {
        guard case .open(let page) = self.states[name], page.id == id else { return }
        self.states[name] = isDone ? .done(page, until: self.clock() + Self.patience) : nil
        self.look()
    }

    /// Tells of what has been signed in to and can be called now. To be called when a server has news, and every second.
    ///
    /// - Parameter time: in seconds since 1970; the clock's where it is nil.
    func look(at time: Int? = nil) {
        let now = time ?? self.clock()
        for (name, state) in self.states {
            guard case .done(let page, let until) = state, page.upstream.isThereAfterSignIn || until <= now
            else { continue }
            self.states[name] = nil
            let message = JSONWriter.object {
                $0.member("jsonrpc", "2.0")
                $0.member("method", Self.completion)
                $0.memberObject("params") { $0.member("elicitationId", page.id) }
            }
            let change = ListChange(method: Self.completion, about: name, message: message.bytes)
            for session in page.told { self.tell?(change, session) }
        }
    }

    private static let completion = "notifications/elicitation/complete"

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

import BridgeConfiguration
import BridgeCore
import BridgeFiles
import BridgeLink
import BridgeSystemd
import Glibc
import Logging
import NIOCore

/// Signing in to upstreams: whoever asks is passed on to the upstream's worker, which owns all of it. The supervisor opens and
/// closes the place on this machine that a browser comes back to.
extension Supervisor {
    /// What is asked of one upstream's OAuth; of all of them where a status is asked for without a name.
    func serveOAuth(_ exchange: Exchange, _ name: String, _ request: OAuthRequest) {
        switch request {
        case .status where name.isEmpty: self.tellOfAll(exchange)
        case .redirect(let query):
            // Whose it is, its `state` says, whatever has been started anew since.
            let owner = SignInState.upstream(ofRedirect: query) ?? name
            self.pass(.redirect(query: query), to: owner) { Self.end(exchange, with: $0) }
            exchange.delegate = AnswerWaiter { _ in }
        case .begin(let redirect, let fresh): self.beginSignIn(exchange, name, redirect: redirect, isFresh: fresh)
        case .wait:
            // Whoever waits and goes has given it up.
            let waiter = AnswerWaiter { [weak self] answer in
                guard case .failed = answer else { return }
                self?.pass(.cancel, to: name) { _ in }
            }
            exchange.delegate = waiter
            self.waitForSignIn(to: name, exchange)
        case .device:
            exchange.delegate = AnswerWaiter { _ in }
            self.pass(request, to: name) { [weak self] answer in
                if answer.invitation != nil { self?.signInWaits(name) {} }
                Self.end(exchange, with: answer)
            }
        case .cancel, .status, .logout:
            exchange.delegate = AnswerWaiter { _ in }
            self.pass(request, to: name) { Self.end(exchange, with: $0) }
        }
    }

    /// The session worker begins sign-ins for the owner's clients, and asks nothing else.
    func serveSession(_ exchange: Exchange) {
        switch ControlRequest(exchange.header) {
        case .oauth(let name, .begin(let redirect, false)):
            self.beginSignIn(exchange, name, redirect: redirect, isFresh: false)
        case .oauth(let name, .wait):
            exchange.delegate = AnswerWaiter { _ in }
            self.waitForSignIn(to: name, exchange)
        default: exchange.cancel(reason: "not allowed")
        }
    }

    private static func end(_ exchange: Exchange, with answer: OAuthAnswer) {
        exchange.end(header: ControlAnswer(answer.isDone ? 200 : 409).text, payload: answer.json.bytes)
    }

    /// Asks an upstream's worker.
    private func pass(_ request: OAuthRequest, to name: String, _ done: @escaping (OAuthAnswer) -> Void) {
        guard let upstream = self.signInUpstream(name) else { return done(self.noSignIn(to: name)) }
        guard let control = self.slots[.upstream(upstream.configuration.name)]?.control else {
            return done(OAuthAnswer(isDone: false, text: "The worker of '\(name)' is starting. Try again."))
        }
        control.ask(header: WorkerRequest.oauth(request).text) { answer in
            if case .ended(_, let payload?) = answer, let answer = OAuthAnswer(JSONText(trusting: payload)) {
                done(answer)
            } else {
                done(OAuthAnswer(isDone: false, text: "The worker of '\(name)' has ended. Try again."))
            }
        }
    }

    private func signInUpstream(_ name: String) -> Deployment.Upstream? {
        self.deployment.upstreams.first { $0.configuration.name == name && $0.configuration.oauth != nil }
    }

    private func noSignIn(to name: String) -> OAuthAnswer {
        let text: String
        if self.deployment.failed.contains(where: { $0.name == name }) {
            text = "'\(name)' cannot run with its configuration; 'mcp-bridge status' says why."
        } else if self.deployment.upstreams.contains(where: { $0.configuration.name == name }) {
            text =
                "There is no sign-in to '\(name)': it is a program, has an Authorization header, or 'oauth' is false."
        } else {
            text = name.isEmpty ? "This does not belong to a sign-in of this bridge." : "Unknown server '\(name)'."
        }
        return OAuthAnswer(isDone: false, text: text)
    }

    private func tellOfAll(_ exchange: Exchange) {
        exchange.delegate = AnswerWaiter { _ in }
        let names = self.deployment.upstreams.filter { $0.configuration.oauth != nil }.map(\.configuration.name)
        var answers: [String: OAuthAnswer] = [:]
        let finish = { [weak self] in
            let body = JSONWriter.object { body in
                body.memberArray("upstreams") { list in
                    for name in names {
                        list.object {
                            $0.member("name", name)
                            $0.member("oauth", ifPresent: answers[name]?.report?.json)
                            if answers[name]?.report == nil { $0.member("text", answers[name]?.text ?? "") }
                        }
                    }
                }
            }
            self?.answer(exchange, 200, body)
        }
        guard !names.isEmpty else { return finish() }
        for name in names {
            self.pass(.status, to: name) { answer in
                answers[name] = answer
                if answers.count == names.count { finish() }
            }
        }
    }

    // MARK: The place that a browser comes back to

    private func beginSignIn(_ exchange: Exchange, _ name: String, redirect: String?, isFresh: Bool) {
        exchange.delegate = AnswerWaiter { _ in }
        guard let upstream = self.signInUpstream(name), let oauth = upstream.configuration.oauth else {
            return Self.end(exchange, with: self.noSignIn(to: name))
        }
        let choice = SignInRedirect.choose(redirect, among: oauth.redirects)
        var wait: SignInReceivers.Wait?
        var chosen = choice.redirect
        if let port = choice.port {
            do throws(SystemCallError) {
                wait = try self.openReceiver(port, for: name)
            } catch {
                guard let other = choice.otherwise else {
                    return Self.end(exchange, with: OAuthAnswer(isDone: false, text: Self.words(error, port)))
                }
                self.logger.warning(
                    "The receiver for sign-ins cannot listen; the browser comes back to the front",
                    metadata: ["port": "\(port)", "error": "\(error)"])
                chosen = other
            }
        }
        self.pass(.begin(redirect: chosen, fresh: isFresh), to: name) { [weak self] answer in
            if let self {
                let close = { [weak self] in if let wait { self?.closeReceiver(wait) } }
                if answer.invitation != nil { self.signInWaits(name, close) } else { close() }
            }
            Self.end(exchange, with: answer)
        }
    }

    private static func words(_ error: SystemCallError, _ port: Int) -> String {
        let reason =
            error.code == EADDRINUSE
            ? "somebody else listens on 127.0.0.1:\(port)" : "127.0.0.1:\(port) cannot be listened on (\(error))"
        return
            "The browser could not come back: \(reason). 'ss -ltnp' shows who; or set 'bridge.publicURL', and it comes back there."
    }

    private func openReceiver(_ port: Int, for name: String) throws(SystemCallError) -> SignInReceivers.Wait {
        let (wait, opened) = try self.receivers.begin(name, port: port)
        if let opened { self.tellFront(toReceiveOn: port, opened) }
        return wait
    }

    private func tellFront(toReceiveOn port: Int, _ descriptor: Int32) {
        guard let slot = self.slots[.http], slot.phase == .ready, let control = slot.control, slot.passing >= 0 else {
            return  // it is told once it serves
        }
        do {
            try DescriptorPassing.send(descriptor, over: slot.passing)
            control.ask(header: WorkerRequest.receive(port: port, isOpen: true).text) { _ in }
        } catch {
            self.logger.error(
                "The receiver for sign-ins cannot be passed to the front", metadata: ["error": "\(error)"])
        }
    }

    /// A front that was started anew takes over what its predecessor had open.
    func openReceiversAgain() {
        for (port, descriptor) in self.receivers.open { self.tellFront(toReceiveOn: port, descriptor) }
    }

    /// A sign-in waits for somebody.
    ///
    /// - Parameter over: called when it does not any more.
    private func signInWaits(_ name: String, _ over: @escaping () -> Void) {
        let number = self.signIns.began(name)
        self.pass(.wait, to: name) { [weak self] answer in
            over()
            self?.signIns.ended(name, number, with: answer)
        }
    }

    private func waitForSignIn(to name: String, _ exchange: Exchange) {
        let isBegun = self.signIns.wait(for: name) { Self.end(exchange, with: $0) }
        if !isBegun { self.pass(.wait, to: name) { Self.end(exchange, with: $0) } }
    }

    private func closeReceiver(_ wait: SignInReceivers.Wait) {
        guard let port = self.receivers.end(wait) else { return }
        let closed = { [weak self] in
            // Another sign-in may have begun meanwhile.
            if let self, let descriptor = self.receivers.closed(port) { self.tellFront(toReceiveOn: port, descriptor) }
        }
        guard let control = self.slots[.http]?.control else { return closed() }
        control.ask(header: WorkerRequest.receive(port: port, isOpen: false).text) { _ in closed() }
    }
}

import BridgeConfiguration
import BridgeCore
import BridgeOAuth
import Crypto
import FoundationEssentials
import Logging
import NIOCore

/// What people ask for.
extension OAuthDesk {
    /// - Parameter done: called once.
    func serve(_ request: OAuthRequest, _ done: @escaping (OAuthAnswer) -> Void) {
        switch request {
        case .begin, .device: self.beginAnew()
        case .redirect, .wait, .cancel, .status, .logout: break
        }
        guard self.keeper != nil else {
            return done(
                self.answer(false, self.trouble.map { "its OAuth state cannot be read: \($0)" } ?? "it is starting"))
        }
        switch request {
        case .begin(let redirect, let fresh):
            guard let redirect = redirect ?? self.settings.redirects.first else {
                return done(self.answer(false, "no redirect URI is configured"))
            }
            guard self.settings.grant != .clientCredentials else { return self.begin(.client, fresh: fresh, done) }
            self.begin(.browser(redirect: redirect), fresh: fresh, done)
        case .device(let fresh): self.begin(.device, fresh: fresh, done)
        case .redirect(let query): self.redirected(query, done)
        case .wait:
            guard self.signIn != nil else { return done(self.answer(self.isSignedIn, self.report.words)) }
            self.waiters.append(done)
        case .cancel:
            self.giveUpSignIn("the sign-in was given up")
            done(self.answer(true, "nothing waits"))
        case .status: self.status(done)
        case .logout: self.logOut(done)
        }
    }

    private var isSignedIn: Bool { self.keeper?.record.tokens != nil && !self.report.phase.isTroubled }

    /// How it stands, with the sign-in that waits.
    var report: OAuthReport {
        guard let keeper else {
            return OAuthReport(phase: self.trouble == nil ? .none : .retrying, reason: self.trouble)
        }
        var report = keeper.report(self.now())
        guard let invitation, self.signIn != nil else { return report }
        report.phase = .signingIn
        report.reason = "somebody is asked to at \(invitation.issuer)"
        report.until = invitation.until
        return report
    }

    func answer(_ isDone: Bool, _ text: String) -> OAuthAnswer {
        OAuthAnswer(isDone: isDone, text: text, report: self.report, invitation: self.invitation)
    }

    private func status(_ done: @escaping (OAuthAnswer) -> Void) {
        self.files.run(on: self.loop) { files -> String? in
            if let holder = try files.holder() { return holder }
            return nil
        }.assumeIsolated().whenComplete { result in
            var answer = self.answer(true, self.report.words)
            if case .success(let holder?) = result { answer.report?.holder = holder }
            done(answer)
        }
    }

    // MARK: Signing in

    /// - Parameter done: of a sign-in in which somebody has a part, called as soon as they can do it; else when it is over.
    func begin(_ manner: SignIn.Manner, fresh: Bool, _ done: @escaping (OAuthAnswer) -> Void) {
        guard let keeper else { return done(self.answer(false, "it is starting")) }
        self.giveUpSignIn("another sign-in has begun")
        var signIn = SignIn(
            manner, record: keeper.record, settings: self.settings, challenge: self.challenge, fresh: fresh,
            random: (Self.random(), Self.random()), version: self.version)
        let action = signIn.begin(now: self.now())
        self.signIn = signIn
        self.onInvitation = done
        self.carryOut(action)
    }

    /// 256 bits, base64url.
    private static func random() -> String {
        SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }.base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private func advance(_ number: Int, _ body: (inout SignIn, Moment) -> SignIn.Action) {
        guard number == self.signInNumber, var signIn = self.signIn else { return }
        let action = body(&signIn, self.now())
        self.signIn = signIn
        self.carryOut(action)
    }

    private func carryOut(_ action: SignIn.Action) {
        let number = self.signInNumber
        switch action {
        case .ask(let request):
            self.http.ask(request) { [weak self] answer in self?.advance(number) { $0.answered(answer, now: $1) } }
        case .keep(let change):
            self.change(change) { [weak self] result in
                guard let self else { return }
                self.took(change, result)
                self.advance(number) { signIn, now in
                    if case .failure(let error) = result { return signIn.kept("\(error)", now: now) }
                    return signIn.kept(nil, now: now)
                }
            }
        case .invite(let invitation, let again):
            self.invitation = invitation
            let told = self.onInvitation
            self.onInvitation = nil
            told?(self.answer(true, "somebody has to sign in at \(invitation.issuer)"))
            self.expire(invitation, number)
            if let again { self.ask(again: again, number) }
            self.changed()
        case .wait(let seconds): self.ask(again: seconds, number)
        case .done(let words): self.over(isDone: true, words)
        case .failed(let words): self.over(isDone: false, words)
        }
    }

    private func ask(again seconds: Double, _ number: Int) {
        self.loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(seconds * 1_000))) { [weak self] in
            self?.advance(number) { $0.waited(now: $1) }
        }
    }

    private func expire(_ invitation: SignInInvitation, _ number: Int) {
        let left = max(1, Double(invitation.until) - self.now().wall)
        self.loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(left * 1_000))) { [weak self] in
            guard let self, number == self.signInNumber, self.signIn?.waitsForRedirect ?? false else { return }
            // A page that does not know the client any more says so to a browser alone.
            self.note(.over(attempt: FormFields(redirect: invitation.url)["state"], isDoubtful: true))
            self.over(isDone: false, "nobody has signed in in time; the next sign-in registers a client anew")
        }
    }

    /// Writes down what nobody waits for.
    private func note(_ change: RecordChange) { self.change(change) { [weak self] in self?.took(change, $0) } }

    /// What was written, or could not be.
    private func took(_ change: RecordChange, _ result: Result<OAuthRecord, any Error>) {
        guard var keeper = self.keeper else { return }
        let now = self.now()
        switch (change, result) {
        case (.signedIn, .success(let record)), (.loggedOut, .success(let record)):
            keeper.replaced(by: record, now: now, draw: .random(in: 0..<1))
        case (.signedIn, .failure):
            var record = keeper.record
            change.apply(to: &record, now: now.wall)
            keeper.replaced(by: record, now: now, draw: .random(in: 0..<1))
            keeper.holdsUnsaved()
        case (_, .success(let record)): keeper.learned(record)
        case (_, .failure): break
        }
        self.keeper = keeper
        self.changed()
        if case .signedIn = change { self.delegate?.deskHasSignedIn(self) }
    }

    private func redirected(_ query: String, _ done: @escaping (OAuthAnswer) -> Void) {
        // It may be for one that an earlier life of this process has begun.
        self.files.run(on: self.loop) { try $0.read().record }.assumeIsolated().whenComplete { result in
            guard let keeper = self.keeper else { return done(self.answer(false, "it is starting")) }
            let record = ((try? result.get()) ?? nil) ?? keeper.record
            var signIn =
                self.signIn
                ?? SignIn(
                    .browser(redirect: ""), record: record, settings: self.settings, challenge: nil, fresh: false,
                    random: ("", ""), version: self.version)
            let (action, words) = signIn.redirected(query, record: record, now: self.now())
            guard let action else { return done(self.answer(false, words)) }
            self.signIn = signIn
            self.waiters.append(done)
            self.carryOut(action)
        }
    }

    private func over(isDone: Bool, _ words: String) {
        let failure = self.signIn?.failure
        if self.signIn?.offlineWasRefused ?? false { self.note(.offlineRefused) }
        self.signIn = nil
        self.signInNumber += 1
        self.invitation = nil
        self.logger.notice(
            isDone ? "Signed in" : "Sign-in came to nothing", metadata: ["reason": "\(words)"])
        if let failure { self.note(.over(attempt: failure.attempt, isDoubtful: failure.isDoubtful)) }
        let answer = self.answer(isDone, words)
        let told = [self.onInvitation].compactMap { $0 } + self.waiters
        self.onInvitation = nil
        self.waiters = []
        for tell in told { tell(answer) }
        self.changed()
        self.closeWhenDone()
    }

    func giveUpSignIn(_ words: String) {
        guard self.signIn != nil else { return }
        // What comes for it after all is for no sign-in that waits. One whose worker ends may still be gone on with.
        if let state = self.invitation.flatMap({ FormFields(redirect: $0.url)["state"] }), !self.isEnded {
            self.note(.over(attempt: state, isDoubtful: false))
        }
        self.over(isDone: false, words)
    }

    // MARK: Signing out

    private func logOut(_ done: @escaping (OAuthAnswer) -> Void) {
        self.giveUpSignIn("somebody has signed out")
        let requests = self.keeper?.record.revocations(self.settings) ?? []
        self.revoke(requests[...], "") { revoked in
            self.change(.loggedOut) { result in
                self.took(.loggedOut, result)
                guard case .success = result else {
                    return done(self.answer(false, "the state cannot be written, and the tokens are still there"))
                }
                self.files.run(on: self.loop) { try $0.forget() }.assumeIsolated().whenComplete { result in
                    if case .failure(let error) = result { self.couldNotKeep(error) }
                    done(self.answer(true, "signed out\(revoked)"))
                }
            }
        }
    }

    private func revoke(_ tokens: ArraySlice<[WebRequest]>, _ words: String, _ done: @escaping (String) -> Void) {
        guard let ways = tokens.first else {
            return done(words.isEmpty ? "; the authorization server has nothing to revoke tokens by" : words)
        }
        self.revoke(ways[...]) { [weak self] isRevoked in
            let said =
                isRevoked ? "; the tokens are revoked" : "; the tokens could not be revoked, and end by themselves"
            self?.revoke(tokens.dropFirst(), words.isEmpty || !isRevoked ? said : words, done)
        }
    }

    /// One token, in each way that there is until one is taken.
    private func revoke(_ ways: ArraySlice<WebRequest>, _ done: @escaping (Bool) -> Void) {
        guard let request = ways.first else { return done(false) }
        self.http.ask(request) { [weak self] answer in
            guard case .reply(let reply) = answer else { return done(false) }
            // Only these are about how it was asked.
            guard [400, 401].contains(reply.status) else { return done(reply.status < 300) }
            self?.revoke(ways.dropFirst(), done)
        }
    }
}

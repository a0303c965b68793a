package import BridgeConfiguration
package import BridgeCore
import NIOCore

/// One sign-in, from the question who gives tokens until there are some.
///
/// Pure: each action is carried out by somebody else, who tells what came of it.
package struct SignIn: Sendable {
    package enum Action: Sendable, Equatable {
        /// Answered by ``answered(_:now:)``.
        case ask(WebRequest)
        /// To be in the state file when ``kept(_:now:)`` is told.
        case keep(RecordChange)
        /// Somebody is to do their part. What comes of it is told by ``redirected(_:record:now:)``, or asked for again and again:
        /// ``waited(now:)`` after so many seconds.
        case invite(SignInInvitation, again: Double?)
        case wait(Double)
        case done(String)
        case failed(String)
    }

    /// How somebody signs in.
    package enum Manner: Sendable, Equatable {
        case browser(redirect: String)
        case device
        /// Nobody has to.
        case client
    }

    enum Place: Sendable {
        case new
        case probing
        case discovering(Discovery)
        case registering(DynamicRegistration, Discovered)
        case beginning(Discovered, ClientRegistration, SignInAttempt?)
        case waiting(Discovered, ClientRegistration, SignInAttempt)
        /// A code has come, which is written down before anybody is shown it.
        case redeeming(TokenExchange)
        case asking(TokenExchange)
        case codeWanted(Discovered, ClientRegistration)
        case polling(TokenExchange, interval: Double, until: Double)
        case committing(TokenExchange, String)
        case over
    }

    let server: String
    let settings: OAuthSettings
    let manner: Manner
    let version: String
    /// base64url each, from the system's random source.
    private let random: (state: String, verifier: String)
    private let fresh: Bool
    var record: OAuthRecord
    private var challenge: BearerChallenge?
    var place = Place.new
    /// Of one that came to nothing: which it was, and whether the client may be unknown by now.
    package internal(set) var failure: (attempt: String?, isDoubtful: Bool)?
    /// Whether it may go without `offline_access`, which we have added ourselves.
    package internal(set) var offlineWasRefused = false

    /// - Parameters:
    ///   - record: what is kept, as it is now.
    ///   - challenge: what the server has said with its 401, where it has said something.
    ///   - fresh: whether clients that were registered before are not used.
    package init(
        _ manner: Manner, record: OAuthRecord, settings: OAuthSettings, challenge: BearerChallenge?, fresh: Bool,
        random: (state: String, verifier: String), version: String
    ) {
        self.manner = manner
        self.server = record.server
        self.record = record
        self.settings = settings
        self.challenge = challenge
        self.fresh = fresh
        self.random = random
        self.version = version
    }

    /// Whether somebody has a page open for it, and has not come back.
    package var waitsForRedirect: Bool { if case .waiting = self.place { true } else { false } }

    /// Whether its tokens are asked for or written: who gives it up now loses them.
    package var isFinishing: Bool { self.underWay != nil }

    var underWay: TokenExchange? {
        switch self.place {
        case .redeeming(let exchange), .asking(let exchange), .committing(let exchange, _): exchange
        case .new, .probing, .discovering, .registering, .beginning, .waiting, .codeWanted, .polling, .over: nil
        }
    }

    package mutating func begin(now: Moment) -> Action {
        guard self.challenge == nil else { return self.discover(now) }
        // What the server says to strangers tells where to go on.
        self.place = .probing
        return .ask(
            WebRequest(
                .post, self.server,
                headers: [
                    WebHeader("Content-Type", "application/json"),
                    WebHeader("Accept", "application/json, text/event-stream"),
                ], body: #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#))
    }

    private mutating func discover(_ now: Moment) -> Action {
        // Whoever signs in anew may do so with another one than before.
        guard
            var discovery = Discovery(
                self.server, settings: self.settings, challenge: self.challenge, isChallenged: self.challenge != nil)
        else { return self.fail("its 'url' is no address of a server") }
        let step = discovery.begin()
        self.place = .discovering(discovery)
        return self.take(step, now)
    }

    package mutating func answered(_ answer: WebAnswer, now: Moment) -> Action {
        switch self.place {
        case .probing:
            if case .reply(let reply) = answer, reply.status == 401 || reply.status == 403 {
                self.challenge = BearerChallenge(reply.all("WWW-Authenticate")) ?? BearerChallenge()
            }
            return self.discover(now)
        case .discovering(var discovery):
            let step = discovery.answered(answer, now: now)
            self.place = .discovering(discovery)
            return self.take(step, now)
        case .registering(var registration, let found):
            let step = registration.answered(answer, now: now)
            self.place = .registering(registration, found)
            return self.take(step, found, now)
        case .codeWanted(let found, let client): return self.codeCame(answer, found, client, now)
        case .asking(let exchange):
            let verdict = TokenVerdict.of(answer, now: now, hiding: self.secrets + exchange.secrets)
            return self.heard(verdict, exchange, now)
        case .polling(let exchange, let interval, let until):
            let verdict = TokenVerdict.of(answer, now: now, hiding: self.secrets + exchange.secrets)
            return self.polled(verdict, exchange, interval, until, now)
        case .new, .beginning, .waiting, .redeeming, .committing, .over: return .failed("nothing was asked")
        }
    }

    private mutating func take(_ step: Discovery.Step, _ now: Moment) -> Action {
        switch step {
        case .ask(let request): return .ask(request)
        case .failed(let failure): return self.fail(failure.words)
        case .found(let found): return self.choose(found, now)
        }
    }

    private mutating func choose(_ found: Discovered, _ now: Moment) -> Action {
        var found = found
        switch self.manner {
        case .device where found.metadata.deviceEndpoint == nil:
            return self.fail("\(found.metadata.issuer) has no sign-in by a code (device_authorization_endpoint)")
        case .browser where found.metadata.authorizationEndpoint == nil:
            return self.fail("\(found.metadata.issuer) has no page to sign in at (authorization_endpoint)")
        case .browser:
            switch PKCE.verdict(on: found.metadata, self.settings.pkce) {
            case .good: break
            case .assumed(let note): found.notes.append(note)
            case .refused(let words): return self.fail(words)
            }
        case .device, .client: break
        }
        let redirect: String? = if case .browser(let redirect) = self.manner { redirect } else { nil }
        let choice = RegistrationChoice.make(
            found, settings: self.settings, stored: self.record.registrations, redirect: redirect, fresh: self.fresh,
            now: now.wall)
        switch choice {
        case .impossible(let words): return self.fail(words)
        case .use(let client): return self.began(found, client, isNew: false, now)
        case .register(let endpoint):
            let recent = self.record.registrationTimes.filter { $0 > now.wall - 86_400 && $0 <= now.wall }
            guard recent.count < DynamicRegistration.most else {
                return self.fail("a client has been registered \(recent.count) times today: no more before tomorrow")
            }
            let scope = self.asked(found).scope
            let registration = DynamicRegistration(
                endpoint, issuer: found.metadata.issuer, settings: self.settings, scope: scope, version: self.version,
                isByCode: self.manner == .device)
            self.place = .registering(registration, found)
            return self.take(registration.begin(), found, now)
        }
    }

    private mutating func take(_ step: DynamicRegistration.Step, _ found: Discovered, _ now: Moment) -> Action {
        switch step {
        case .ask(let request): return .ask(request)
        case .failed(let failure): return self.fail(failure.words)
        case .registered(let client): return self.began(found, client, isNew: true, now)
        }
    }

    /// What is known is kept before anybody opens a browser.
    private mutating func began(
        _ found: Discovered, _ client: ClientRegistration, isNew: Bool, _ now: Moment
    ) -> Action {
        var attempt: SignInAttempt?
        if case .browser(let redirect) = self.manner {
            guard client.redirects.contains(redirect) else {
                return self.fail(
                    "the client is registered for \(client.redirects.joined(separator: ", ")), not \(redirect)")
            }
            attempt = SignInAttempt(
                state: SignInState.make(random: self.random.state, upstream: self.record.upstream),
                verifier: Secret(self.random.verifier), redirect: redirect, issuer: found.metadata.issuer,
                clientID: client.id, scope: self.asked(found).scope, resource: self.resource(found), began: now.wall)
        }
        self.place = .beginning(found, client, attempt)
        return .keep(.beginning(found, client, attempt, isNew: isNew))
    }

    /// What no server's words may bring to light.
    var secrets: [Secret] { self.record.secrets + [self.settings.clientSecret].compactMap { $0 } }

    func asked(_ found: Discovered) -> (scope: String?, addsOffline: Bool) {
        ScopeRule.asked(
            found, settings: self.settings, wanted: self.record.wantedScopes,
            refusesOffline: self.record.refusesOffline)
    }

    func resource(_ found: Discovered) -> String? {
        switch self.settings.resource {
        case .standard: self.record.sendsNoResource ? nil : found.resource
        case .none: nil
        case .uri(let uri): uri
        }
    }

    mutating func fail(_ words: String) -> Action {
        self.place = .over
        return .failed(words)
    }
}

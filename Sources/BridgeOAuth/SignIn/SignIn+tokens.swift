import BridgeConfiguration
import BridgeCore
import NIOCore

/// What a code, or a client, is exchanged by.
struct TokenExchange: Sendable, Equatable {
    var grant: TokenRequest.Grant
    let found: Discovered
    let client: ClientRegistration
    let scope: String?
    var resource: String?
    var ways: [ClientAuthentication]
    var attempt: String?
    var hasDroppedResource = false

    /// What it tells the token endpoint in confidence.
    var secrets: [Secret] {
        let own: [Secret] =
            switch self.grant {
            case .code(let code, _, let verifier): [code, verifier]
            case .refresh(let secret), .device(let secret): [secret]
            case .clientCredentials: []
            }
        return own + [self.client.secret].compactMap { $0 }
    }

    func request(_ extra: [String: String]) -> WebRequest? {
        guard let way = self.ways.first else { return nil }
        return TokenRequest(
            grant: self.grant, client: self.client, authentication: way, scope: self.scope, resource: self.resource,
            extra: extra
        ).request(to: self.found.metadata.tokenEndpoint)
    }
}

/// From the moment when it is known who is asked.
extension SignIn {
    /// - Parameter trouble: why it is not in the state file.
    package mutating func kept(_ trouble: String?, now: Moment) -> Action {
        switch self.place {
        case .beginning(let found, let client, let attempt):
            if let trouble { return self.fail("what a sign-in needs cannot be kept: \(trouble)") }
            return self.invite(found, client, attempt, now)
        // Where the disk does not take it, it is known here.
        case .redeeming(let exchange): return self.ask(exchange)
        case .committing(_, let words):
            self.place = .over
            // The tokens are in memory, and are used from there.
            return .done(
                trouble.map { "\(words). They are in memory only, the disk does not take them: \($0)" } ?? words)
        case .new, .probing, .discovering, .registering, .waiting, .asking, .codeWanted, .polling, .over:
            return .failed("nothing was to be kept")
        }
    }

    private mutating func invite(
        _ found: Discovered, _ client: ClientRegistration, _ attempt: SignInAttempt?, _ now: Moment
    ) -> Action {
        switch self.manner {
        case .browser:
            guard let attempt, let endpoint = found.metadata.authorizationEndpoint else { return self.fail("no page") }
            let asked = self.asked(found)
            self.place = .waiting(found, client, attempt)
            let url = AuthorizationURL.make(
                endpoint, client: client, attempt: attempt, addsOffline: asked.addsOffline, settings: self.settings)
            return .invite(
                SignInInvitation(
                    url: url, redirect: attempt.redirect, until: Int(attempt.began + SignInAttempt.lifetime),
                    issuer: found.metadata.issuer, before: self.changedFrom(found), notes: found.notes),
                again: nil)
        case .device:
            let ways = ClientAuthentication.ways(client, found.metadata, self.settings)
            guard let endpoint = found.metadata.deviceEndpoint, let way = ways.first else {
                return self.fail("there is no sign-in by a code")
            }
            self.place = .codeWanted(found, client)
            let scope = self.asked(found).scope
            return .ask(
                DeviceAuthorization.request(to: endpoint, client, way, scope: scope, resource: self.resource(found)))
        case .client: return self.ask(self.exchange(by: .clientCredentials, found, client, attempt: nil))
        }
    }

    /// The authorization server that somebody knows, where this is another one that nobody has chosen.
    private func changedFrom(_ found: Discovered) -> String? {
        guard self.settings.issuer == nil, let known = self.record.knownIssuer else { return nil }
        return found.metadata.isOf(known) ? nil : known
    }

    private func exchange(
        by grant: TokenRequest.Grant, _ found: Discovered, _ client: ClientRegistration, attempt: SignInAttempt?
    ) -> TokenExchange {
        TokenExchange(
            grant: grant, found: found, client: client, scope: attempt.map(\.scope) ?? self.asked(found).scope,
            resource: attempt.map(\.resource) ?? self.resource(found),
            ways: ClientAuthentication.ways(client, found.metadata, self.settings), attempt: attempt?.state)
    }

    private mutating func ask(_ exchange: TokenExchange) -> Action {
        self.place = .asking(exchange)
        return exchange.request(self.settings.extraParameters).map { .ask($0) } ?? self.fail("there is no way to ask")
    }

    // MARK: By a browser

    /// What a redirect brought: its query, or a whole address that somebody has pasted. It may be for a sign-in that an earlier
    /// life of this process has begun.
    ///
    /// - Parameter record: what is kept, as it is now.
    /// - Returns: nil where it belongs to no sign-in: nothing ends by it. The words say why.
    package mutating func redirected(_ text: String, record: OAuthRecord, now: Moment) -> (Action?, String) {
        let fields = FormFields(redirect: text)
        if let words = self.hindrance(of: fields) { return (nil, words) }
        self.record = record
        let verdict = RedirectVerdict.of(
            fields, attempts: record.attempts,
            metadata: { issuer in
                record.discovered.flatMap { $0.metadata.issuer == issuer ? $0.metadata : nil }
            }, now: now.wall)
        switch verdict {
        case .unknown(let words): return (nil, words)
        case .refused(let words, let attempt, _) where self.waits(forAnotherThan: attempt): return (nil, words)
        case .refused(let words, let attempt, let error):
            self.place = .over
            let isClient = error == "unauthorized_client" || error == "invalid_client"
            let hint = error == "invalid_target" ? ". Without a resource it may go (oauth.resource: false)" : ""
            self.failure = (attempt.state, isClient)
            let added = record.discovered.map { self.asked($0).addsOffline } ?? false
            self.offlineWasRefused = error == "invalid_scope" && added
            let told = words + hint + (self.offlineWasRefused ? ". The next sign-in asks without offline_access" : "")
            return (.failed(told), told)
        case .code(let code, let attempt):
            guard let found = record.discovered, found.metadata.issuer == attempt.issuer,
                var client = record.registrations.last(where: {
                    $0.issuer == attempt.issuer && $0.redirects.contains(attempt.redirect)
                        && $0.id == attempt.clientID ?? $0.id
                })
            else { return (nil, "it is not known any more who was asked: begin another sign-in") }
            if client.kind == .configured { client.secret = self.settings.clientSecret }
            let grant = TokenRequest.Grant.code(code, redirect: attempt.redirect, verifier: attempt.verifier)
            self.place = .redeeming(self.exchange(by: grant, found, client, attempt: attempt))
            return (.keep(.redeeming(attempt: attempt.state)), "")
        }
    }

    /// Why a redirect cannot be taken now.
    private func hindrance(of fields: FormFields) -> String? {
        switch self.place {
        case .new, .waiting, .over: return nil
        case .redeeming, .asking, .committing:
            return self.underWay?.attempt == fields["state"]
                ? RedirectVerdict.usedWords : "another sign-in is being finished at this moment"
        case .probing, .discovering, .registering, .beginning, .codeWanted, .polling:
            return "another sign-in has begun since: it is that one that waits"
        }
    }

    /// An older one is over by an error; the one that waits is not.
    private func waits(forAnotherThan attempt: SignInAttempt) -> Bool {
        if case .waiting(_, _, let mine) = self.place { mine.state != attempt.state } else { false }
    }

    // MARK: Tokens

    mutating func heard(_ verdict: TokenVerdict, _ exchange: TokenExchange, _ now: Moment) -> Action {
        var exchange = exchange
        switch verdict {
        case .issued(let issued): return self.issued(issued, exchange, now)
        case .clientRefused where exchange.ways.count > 1:
            exchange.ways.removeFirst()
            return self.ask(exchange)
        case .resourceRefused where exchange.resource != nil:
            exchange.resource = nil
            exchange.hasDroppedResource = true
            return self.ask(exchange)
        case .notSent(let words), .unknown(let words), .redirected(let words), .page(let words), .moved(let words),
            .unclear(let words), .grantRefused(let words), .grantUnsupported(let words), .scopeRefused(let words),
            .resourceRefused(let words), .interactionNeeded(let words), .later(let words, _):
            self.failure = (exchange.attempt, false)
            return self.fail("there are no tokens for that: \(words)")
        case .clientRefused(let words):
            self.failure = (exchange.attempt, true)
            return self.fail("the client was refused: \(words)")
        case .pending:
            return self.fail("the token endpoint asks for patience")
        }
    }

    private mutating func issued(_ issued: IssuedTokens, _ exchange: TokenExchange, _ now: Moment) -> Action {
        let tokens = TokenSet(
            access: issued.access, refresh: issued.refresh, issuer: exchange.found.metadata.issuer,
            clientID: exchange.client.id, asked: exchange.scope, granted: issued.scope, resource: exchange.resource,
            issued: now.wall, expires: issued.life.map { now.wall + $0 },
            refreshExpires: issued.refreshLife.map { now.wall + $0 })
        var words = "signed in at \(exchange.found.metadata.issuer)"
        if let scope = issued.scope ?? exchange.scope { words += ", with the rights: \(ForeignWords.short(scope))" }
        if issued.refresh == nil, exchange.grant != .clientCredentials {
            let end = issued.life.map { "at \(UTCTime(seconds: Int(now.wall + $0)).text())" } ?? "when its token ends"
            words += ". There is no refresh token: it will need you again \(end)"
        }
        let way = exchange.ways.first ?? ClientAuthentication(method: .none)
        self.place = .committing(exchange, words)
        return .keep(
            .signedIn(tokens, way, attempt: exchange.attempt, sendsNoResource: exchange.hasDroppedResource))
    }

    // MARK: By a code that is typed in elsewhere

    mutating func codeCame(
        _ answer: WebAnswer, _ found: Discovered, _ client: ClientRegistration, _ now: Moment
    ) -> Action {
        guard case .reply(let reply) = answer else {
            if case .failed(let words, _) = answer { return self.fail("no code is to be had: \(words)") }
            return self.fail("no code is to be had")
        }
        guard let code = DeviceAuthorization(reply) else {
            let words = ForeignWords.of(reply, hiding: self.secrets)
            return self.fail("no code is to be had: status \(reply.status) \(words)")
        }
        let exchange = TokenExchange(
            grant: .device(code.code), found: found, client: client,
            scope: self.asked(found).scope,
            resource: self.resource(found), ways: ClientAuthentication.ways(client, found.metadata, self.settings))
        self.place = .polling(exchange, interval: code.interval, until: now.wall + code.life)
        return .invite(
            SignInInvitation(
                url: code.completeURL ?? code.url, code: code.userCode, until: Int(now.wall + code.life),
                issuer: found.metadata.issuer, notes: found.notes),
            again: code.interval)
    }

    /// The time between two questions is over.
    package mutating func waited(now: Moment) -> Action {
        guard case .polling(let exchange, _, let until) = self.place else { return .failed("nothing was waited for") }
        guard now.wall < until else { return self.fail("nobody has typed in the code in time") }
        return exchange.request(self.settings.extraParameters).map { .ask($0) } ?? self.fail("there is no way to ask")
    }

    mutating func polled(
        _ verdict: TokenVerdict, _ exchange: TokenExchange, _ interval: Double, _ until: Double, _ now: Moment
    ) -> Action {
        switch verdict {
        case .pending(let slowDown):
            let interval = slowDown ? interval + 5 : interval
            self.place = .polling(exchange, interval: interval, until: until)
            return .wait(interval)
        case .notSent, .unknown, .later, .page:
            // It may go on where it was (RFC 8628, 3.5).
            let interval = min(interval * 2, 60)
            self.place = .polling(exchange, interval: interval, until: until)
            return .wait(interval)
        case .clientRefused where exchange.ways.count > 1:
            var exchange = exchange
            exchange.ways.removeFirst()
            self.place = .polling(exchange, interval: interval, until: until)
            return .wait(interval)
        case .resourceRefused where exchange.resource != nil:
            var exchange = exchange
            exchange.resource = nil
            exchange.hasDroppedResource = true
            self.place = .polling(exchange, interval: interval, until: until)
            return .wait(interval)
        case .issued, .redirected, .grantRefused, .clientRefused, .grantUnsupported, .scopeRefused, .resourceRefused,
            .interactionNeeded, .moved, .unclear:
            return self.heard(verdict, exchange, now)
        }
    }
}

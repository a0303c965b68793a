import BridgeConfiguration
import BridgeCore
import BridgeOAuth
import Logging
import NIOCore

/// What servers say of tokens.
extension OAuthDesk {
    func refused(generation: Int?, _ challenge: BearerChallenge?) -> TokenKeeper.Refusal {
        if let challenge { self.challenge = challenge }
        guard var keeper = self.keeper else { return .wait }
        let now = self.now()
        defer { self.changed() }
        guard let generation else {
            if keeper.record.tokens == nil, self.settings.grant == .clientCredentials { return self.clientRefusal(now) }
            let refusal = keeper.challenged(now)
            self.keeper = keeper
            return refusal
        }
        let (refusal, action) = keeper.refused(generation: generation, now)
        self.keeper = keeper
        self.perform(action)
        return refusal
    }

    /// What is on the disk is the truth, whatever this process remembers.
    func reread() {
        self.files.run(on: self.loop) { try $0.read().record }.assumeIsolated().whenComplete { result in
            guard var keeper = self.keeper else { return }
            let before = keeper.record.generation
            let action = keeper.reread((try? result.get()) ?? nil, now: self.now(), draw: .random(in: 0..<1))
            self.keeper = keeper
            if keeper.record.generation != before { self.log(.adopted(keeper.record)) }
            self.perform(action)
            if keeper.record.generation != before, !self.isEnded { self.delegate?.deskHasTokens(self) }
        }
    }

    /// A client that needs nobody signs in by itself.
    private func clientRefusal(_ now: Moment) -> TokenKeeper.Refusal {
        if self.signIn != nil { return .refuse("signing in: the client asks for its first token") }
        if let next = self.nextClientSignIn, !next.isPast(now) {
            return self.keeper.map { .refuse($0.report(now).words) } ?? .wait
        }
        self.begin(.client, fresh: false) { [weak self] answer in
            guard let self else { return }
            let delay = answer.isDone ? 0 : self.clientBackoff.failed(draw: .random(in: 0..<1)).components.seconds
            if answer.isDone { self.clientBackoff.forgive() }
            self.nextClientSignIn = answer.isDone ? nil : self.now().adding(Double(max(delay, 1)))
        }
        return .refuse("signing in: the client asks for its first token")
    }

    func accepted(generation: Int?) {
        guard self.isDoubted else { return }
        self.keeper?.accepted(generation: generation ?? -1)
        self.changed()
    }

    func lacked(_ challenge: BearerChallenge, operation: String) -> String {
        self.challenge = challenge
        let wanted = ForeignWords.short(challenge.scope ?? "", hiding: self.keeper?.record.secrets ?? [])
        if wanted.isEmpty {
            self.lookUpRights(for: operation)
        } else if let action = self.keeper?.lacked(challenge.scope, operation: operation, self.now()) {
            self.perform(action)
        }
        let rights = wanted.isEmpty ? "more rights" : "the rights '\(wanted)'"
        return
            "403 insufficient_scope: it wants \(rights), which a sign-in would ask for: mcp-bridge auth \(self.upstream)"
    }

    /// A server that does not say which rights are missing, as the official SDK's, lists those that it wants in its metadata.
    private func lookUpRights(for operation: String) {
        guard self.nextLookForRights?.isPast(self.now()) ?? true,
            var discovery = Discovery(
                self.server, settings: self.settings, challenge: self.challenge, isChallenged: true)
        else { return }
        self.nextLookForRights = self.now().adding(60)
        self.discover(discovery.begin(), discovery) { [weak self] result in
            guard let self, case .success(let found) = result, let scopes = found.resourceScopes else { return }
            let wanted = scopes.joined(separator: " ")
            if let action = self.keeper?.lacked(wanted, operation: operation, self.now()) { self.perform(action) }
        }
    }

    /// Some servers fail in other ways when they want a token: whether they name somebody who gives any is looked up once.
    func wondered() -> String? {
        guard self.keeper?.record.tokens == nil else { return nil }
        if self.wantsToken {
            guard case .refuse(let words) = self.refused(generation: nil, nil) else { return nil }
            return words
        }
        guard !self.isProbing,
            var discovery = Discovery(self.server, settings: self.settings, challenge: nil, isChallenged: false)
        else { return nil }
        self.isProbing = true
        self.discover(discovery.begin(), discovery) { [weak self] result in
            guard let self else { return }
            switch result {
            case .failure(.transient): self.isProbing = false
            case .failure(.refused): break
            case .success(let found):
                self.logger.info(
                    "upstream wants a token, as its metadata says", metadata: ["url": "\(found.metadata.issuer)"])
                self.wantsToken = true
                _ = self.refused(generation: nil, nil)
            }
        }
        return nil
    }

    // MARK: Who gives tokens

    func rediscover() {
        let bound = self.keeper?.record.tokens?.issuer
        guard
            var discovery = Discovery(
                self.server, settings: self.settings, challenge: self.challenge, isChallenged: true,
                bound: bound.flatMap { $0.isEmpty ? nil : $0 })
        else { return }
        self.discover(discovery.begin(), discovery) { [weak self] result in
            guard let self, var keeper = self.keeper else { return }
            let action = keeper.rediscovered(result, now: self.now(), draw: .random(in: 0..<1))
            self.keeper = keeper
            self.perform(action)
        }
    }

    private func discover(
        _ step: Discovery.Step, _ discovery: Discovery, _ done: @escaping (Result<Discovered, DiscoveryFailure>) -> Void
    ) {
        switch step {
        case .found(let found): done(.success(found))
        case .failed(let failure): done(.failure(failure))
        case .ask(let request):
            self.http.ask(request) { [weak self] answer in
                guard let self else { return }
                var discovery = discovery
                let next = discovery.answered(answer, now: self.now())
                self.discover(next, discovery, done)
            }
        }
    }

    // MARK: The story, in the log

    func log(_ outcome: RefreshFlight.Outcome) {
        switch outcome {
        case .refreshed(let record):
            self.logger.info("Token refreshed", metadata: Self.metadata(record))
        case .adopted(let record):
            self.logger.info("Tokens of another process are used", metadata: Self.metadata(record))
        case .unsaved(let record, let words):
            var metadata = Self.metadata(record)
            metadata["error"] = "\(words)"
            self.logger.error("New tokens are in memory only, the disk does not take them", metadata: metadata)
        case .verdict(let verdict):
            self.logger.warning("Token was not refreshed", metadata: ["reason": "\(Self.words(verdict))"])
        case .busy(let holder):
            self.logger.info("Another process refreshes the token", metadata: ["reason": "\(holder)"])
        case .storeTrouble(let words):
            self.logger.error("Token was not refreshed: its state", metadata: ["error": "\(words)"])
        }
    }

    private static func metadata(_ record: OAuthRecord) -> [String: Logger.MetadataValue] {
        var metadata: [String: Logger.MetadataValue] = ["generation": "\(record.generation)"]
        if let tokens = record.tokens {
            metadata["client"] = "\(TokenKeeper.digest(tokens.clientID))"
            metadata["url"] = "\(tokens.issuer)"
        }
        return metadata
    }

    private static func words(_ verdict: TokenVerdict) -> String {
        switch verdict {
        case .issued: "there are tokens"
        case .notSent(let words): "not sent: \(words)"
        case .unknown(let words): "no whole answer: \(words)"
        case .later(let words, _), .redirected(let words), .page(let words), .grantRefused(let words),
            .clientRefused(let words), .grantUnsupported(let words), .scopeRefused(let words),
            .resourceRefused(let words), .interactionNeeded(let words), .moved(let words), .unclear(let words):
            words
        case .pending: "it asks for patience"
        }
    }
}

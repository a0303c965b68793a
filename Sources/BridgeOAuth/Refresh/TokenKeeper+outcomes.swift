import BridgeConfiguration
import BridgeCore

/// What came of a refresh.
extension TokenKeeper {
    /// - Parameter draw: a random number from 0 up to 1.
    package mutating func flew(_ outcome: RefreshFlight.Outcome, now: Moment, draw: Double) -> Action {
        self.isFlying = false
        self.holder = nil
        switch outcome {
        case .refreshed(let record): self.renewed(record, now, draw)
        case .unsaved(let record, let words):
            self.renewed(record, now, draw)
            self.isUnsaved = true
            self.notes = ["its new tokens are in memory only, the disk does not take them: \(words)"]
        case .adopted(let record): return self.adopted(record, now, draw)
        case .busy(let holder):
            self.holder = holder
            self.next = now.adding(1 + draw)
        case .storeTrouble(let words): self.retry("its state: \(words)", nil, now, draw)
        case .verdict(let verdict): return self.heard(verdict, now, draw)
        }
        return .none
    }

    private mutating func renewed(_ record: OAuthRecord, _ now: Moment, _ draw: Double) {
        self.take(record, now: now, draw: draw)
        self.obtained = now
        self.backoff.forgive()
        self.unknowns = 0
        self.pages = 0
        self.isRediscovered = false
        self.isUnsaved = false
        self.notes = []
        if case .refusedByServer = self.situation {} else { self.situation = .fine }
    }

    private mutating func adopted(_ record: OAuthRecord, _ now: Moment, _ draw: Double) -> Action {
        let isNew = record.generation != self.record.generation
        self.take(record, now: now, draw: draw)
        if isNew {
            self.obtained = nil
            self.saved()
            self.backoff.forgive()
            return .none
        }
        // Nobody has refreshed them, and there is nothing to refresh them with.
        guard record.tokens != nil, !self.isRediscovered else {
            self.retry("it is not known who refreshes its tokens", nil, now, draw)
            return .none
        }
        self.isRediscovered = true
        return .rediscover
    }

    /// A token was refused that this process has had for a moment only. Whoever has newer ones may have ended it; else the server
    /// refuses its own, unless it has another authorization server by now.
    ///
    /// - Parameter record: what is in the state file; nil where that cannot be read.
    package mutating func reread(_ record: OAuthRecord?, now: Moment, draw: Double) -> Action {
        self.isRereading = false
        if let record, record.generation > self.record.generation { return self.adopted(record, now, draw) }
        guard self.refused == self.record.generation, self.record.tokens != nil else { return .none }
        switch self.situation {
        case .final, .refusedByServer: return .none
        case .fine, .retrying, .confirming, .unclear: break
        }
        _ = self.refusedAgain(since: now.wall, step: 0, now)
        return .rediscover
    }

    /// Newer tokens than the file's have been written after all.
    package mutating func saved() {
        self.isUnsaved = false
        self.notes = []
    }

    package mutating func holdsUnsaved() { self.isUnsaved = true }

    /// What is in the state file beside the tokens has changed.
    package mutating func learned(_ record: OAuthRecord) {
        guard record.generation == self.record.generation, !self.isUnsaved else { return }
        var known = record
        known.verdict = self.record.verdict
        self.record = known
    }

    /// - Parameter failure: why nothing was found out.
    package mutating func rediscovered(
        _ result: Result<Discovered, DiscoveryFailure>, now: Moment, draw: Double
    ) -> Action {
        // Only whether it has another one was to be found out.
        if case .refusedByServer = self.situation, self.next != nil {
            guard case .success(let found) = result, !found.isFallback else { return .none }
            return self.moved(to: found, now) ?? .none
        }
        switch result {
        case .failure(let failure):
            let patience: Int? = if case .transient(_, let seconds) = failure { seconds } else { nil }
            self.retry(failure.words, patience, now, draw)
            return .none
        case .success(let found):
            if let action = self.moved(to: found, now) { return action }
            RecordChange.rediscovered(found).apply(to: &self.record, now: now.wall)
            self.next = now.adding(0.5 + draw)
            return .keep(.rediscovered(found))
        }
    }

    /// - Returns: nil where its tokens are of the authorization server that it names.
    private mutating func moved(to found: Discovered, _ now: Moment) -> Action? {
        guard let issuer = self.record.tokens?.issuer, !issuer.isEmpty, !found.metadata.isOf(issuer) else { return nil }
        return self.finish(
            .signInNeeded,
            "its authorization server has changed: its tokens are of \(issuer), and it names "
                + ForeignWords.short(found.metadata.issuer),
            now)
    }

    // MARK: Verdicts

    private mutating func heard(_ verdict: TokenVerdict, _ now: Moment, _ draw: Double) -> Action {
        if case .page = verdict {} else { self.pages = 0 }
        if case .unknown = verdict {} else { self.unknowns = 0 }
        switch verdict {
        case .issued: return .none
        case .notSent(let words): self.retry(words, nil, now, draw)
        case .unknown(let words):
            self.retry("no whole answer: \(words)", nil, now, draw)
            // A lost answer is asked for soon: servers give the same one again for a short time only.
            let delays = [1 + 2 * draw, 10, 30]
            if self.unknowns < delays.count { self.next = now.adding(delays[self.unknowns]) }
            self.unknowns += 1
        case .later(let words, let patience): self.retry(words, patience, now, draw)
        case .pending: self.retry("it asks for patience", nil, now, draw)
        case .redirected(let words):
            self.retry("the token endpoint redirects, which is not followed: \(words)", nil, now, draw)
        case .page(let words):
            self.pages += 1
            self.retry(
                self.pages >= 5
                    ? "the token endpoint answers HTML, or nothing: \(words)"
                    : "no answer of a token endpoint: \(words)",
                nil, now, draw)
        case .moved(let words):
            guard self.isRediscovered else {
                self.isRediscovered = true
                return .rediscover
            }
            self.retry("the token endpoint is gone: \(words)", nil, now, draw)
        case .grantRefused(let words): return self.grantRefused(words, now)
        case .clientRefused(let words): return self.clientRefused(words, now)
        case .grantUnsupported(let words): return self.unsupported(words, now)
        case .scopeRefused(let words): return self.finish(.signInNeeded, "its rights were refused: \(words)", now)
        case .resourceRefused(let words): return self.finish(.signInNeeded, "its resource was refused: \(words)", now)
        case .interactionNeeded(let words): return self.finish(.signInNeeded, words, now)
        case .unclear(let words):
            self.situation = .unclear("refused: \(words)", since: self.since(now))
            self.next = now.adding(900)
        }
        return .none
    }

    private func since(_ now: Moment) -> Double {
        switch self.situation {
        case .retrying(_, let since), .unclear(_, let since), .confirming(_, let since, _): since
        case .fine, .refusedByServer, .final: now.wall
        }
    }

    /// What says nothing about the tokens: they are asked for again, ever more slowly.
    private mutating func retry(_ words: String, _ patience: Int?, _ now: Moment, _ draw: Double) {
        let delay =
            Double(self.backoff.failed(draw: draw).components.seconds)
            + Double(self.backoff.failures == 1 ? draw / 2 : 0)
        self.next = now.adding(max(delay, Double(patience ?? 0), 0.5))
        switch self.situation {
        case .final(let verdict): self.record.verdict = verdict
        case .refusedByServer: break
        case .fine, .retrying, .confirming, .unclear: self.situation = .retrying(words, since: self.since(now))
        }
    }

    /// A broker may have made that of a fault of its own, and a server's replica may not know yet: it is asked again.
    private mutating func grantRefused(_ words: String, _ now: Moment) -> Action {
        let reason = "its refresh token was refused: \(words)"
        switch self.situation {
        case .final: return self.finish(.signInNeeded, reason, now)
        case .confirming(_, let since, 1):
            // Once more when there is nothing to lose.
            guard self.isAlive(now), let end = self.schedule.end else { return self.finish(.signInNeeded, reason, now) }
            self.situation = .confirming(reason, since: since, step: 2)
            self.next = end
        case .confirming: return self.finish(.signInNeeded, reason, now)
        case .fine, .retrying, .unclear, .refusedByServer:
            self.situation = .confirming(reason, since: now.wall, step: 1)
            self.next = now.adding(5)
        }
        return .none
    }

    private mutating func clientRefused(_ words: String, _ now: Moment) -> Action {
        if self.settings.clientID != nil {
            return self.finish(.misconfigured, "the configured client was refused: \(words)", now)
        }
        let reason = "the client that was registered is not known any more: \(words)"
        switch self.situation {
        case .confirming, .final:
            let action = self.finish(.signInNeeded, reason, now)
            guard case .keep(.verdict(let verdict?, let generation)) = action else { return action }
            let change = RecordChange.clientRefused(verdict, generation: generation)
            change.apply(to: &self.record, now: now.wall)
            return .keep(change)
        case .fine, .retrying, .unclear, .refusedByServer:
            self.situation = .confirming(reason, since: now.wall, step: 1)
            self.next = now.adding(60)
        }
        return .none
    }

    private mutating func unsupported(_ words: String, _ now: Moment) -> Action {
        let reason = "its tokens are not refreshed by its authorization server: \(words)"
        guard self.isAlive(now), self.schedule.end != nil else { return self.finish(.signInNeeded, reason, now) }
        self.unrenewable = reason
        self.situation = .fine
        self.next = nil
        return .none
    }
}

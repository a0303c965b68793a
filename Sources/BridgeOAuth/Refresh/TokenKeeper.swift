package import BridgeConfiguration
import BridgeCore

/// Keeps the tokens of one upstream good: when they are refreshed, what a refusal means, and what people are told.
///
/// Pure: it asks nobody, reads no clock and draws no random number. Nothing is deleted by it, whatever comes.
package struct TokenKeeper: Sendable {
    package enum Action: Sendable, Equatable {
        case none
        /// A ``RefreshFlight`` for the tokens of this generation; its outcome goes to ``flew(_:now:draw:)``.
        case refresh(generation: Int)
        /// Who gives tokens is to be found out anew: ``rediscovered(_:now:)``.
        case rediscover
        /// The state file is to be read again: ``reread(_:now:draw:)``.
        case reread
        /// To be written into the state file.
        case keep(RecordChange)
    }

    /// What a request is sent with.
    package enum Credential: Sendable, Equatable {
        /// Nothing: nobody has asked for a token yet.
        case none
        case token(Secret, generation: Int)
        /// New ones are under way.
        case wait
        /// It would be refused: why, for people.
        case refuse(String)
    }

    /// What becomes of a request whose token was refused.
    package enum Refusal: Sendable, Equatable {
        /// There is another token by now.
        case again
        case wait
        case refuse(String)
    }

    enum Situation: Sendable, Equatable {
        case fine
        case retrying(String, since: Double)
        /// The refresh token, or the client, was refused, which is asked once or twice more before it is believed.
        case confirming(String, since: Double, step: Int)
        /// The server refuses what its own authorization server has just given.
        case refusedByServer(since: Double, step: Int)
        case unclear(String, since: Double)
        case final(OAuthRecord.Verdict)
    }

    /// When somebody's own tokens are refused, the next ones are tried after so many seconds.
    static let trials = [60.0, 300, 900, 3_600]
    /// A token that is refused though it is younger is refused for another reason than its age.
    static let youth = 60.0
    static let day = 86_400.0

    package internal(set) var record: OAuthRecord
    let settings: OAuthSettings
    var schedule: RefreshSchedule
    var situation = Situation.fine
    var next: Moment?
    package internal(set) var isFlying = false
    /// Whether another process has newer ones is being looked at.
    var isRereading = false
    /// Newer ones are in memory than on the disk.
    package internal(set) var isUnsaved = false
    /// Whether the tokens are this process's own: then it knows their age by a clock that does not jump.
    var obtained: Moment?
    var refused: Int?
    var backoff = Backoff(base: .seconds(1), maximum: .seconds(300))
    var unknowns = 0
    var pages = 0
    var isRediscovered = false
    /// Why there is no refreshing; the token is used to its end.
    var unrenewable: String?
    var holder: String?
    var notes: [String] = []

    package init(_ record: OAuthRecord, settings: OAuthSettings, now: Moment, draw: Double) {
        self.record = record
        self.settings = settings
        self.schedule = RefreshSchedule(issued: 0, expires: nil, now: now, draw: 0)
        self.take(record, now: now, draw: draw)
        // A verdict of an earlier life is doubted once.
        if case .final = self.situation, self.isRenewable { self.next = now.adding(1 + 2 * draw) }
    }

    /// Whether tokens can be had without anybody.
    package var isRenewable: Bool {
        self.settings.grant == .clientCredentials || (self.record.tokens?.refresh != nil && self.unrenewable == nil)
    }

    /// Whether there is a token that nobody has refused, and that has not come to its end.
    func isAlive(_ now: Moment) -> Bool {
        self.record.tokens != nil && self.refused != self.record.generation && !self.schedule.isOver(now)
    }

    // MARK: Requests

    /// Until then ``credential(_:)`` gives the token that it gives now, unless something is told meanwhile; nil: for ever.
    package var tokenEnd: Moment? { self.schedule.end }

    package func credential(_ now: Moment) -> Credential {
        // Whether one is wanted, the server says each time.
        guard let tokens = self.record.tokens else { return .none }
        if self.isAlive(now) { return .token(tokens.access, generation: self.record.generation) }
        switch self.situation {
        case .final(let verdict): return .refuse(Self.words(verdict))
        // Shown again with each new connection: the server may think better of it.
        case .refusedByServer where !self.schedule.isOver(now):
            return .token(tokens.access, generation: self.record.generation)
        case .refusedByServer where self.next.map({ !$0.isPast(now) }) ?? false: return .refuse(Self.refusedWords)
        // The last ones have ended before the server was shown them.
        case .refusedByServer: break
        case .fine, .retrying, .confirming, .unclear: break
        }
        return self.isRenewable ? .wait : .refuse(self.endedWords)
    }

    /// A request waits for a token.
    package mutating func wanted(_ now: Moment) -> Action {
        guard self.credential(now) == .wait, !self.isFlying, !self.isRereading else { return .none }
        if let next, !next.isPast(now) { return .none }
        return self.fly()
    }

    /// The server has refused a token, of this generation.
    package mutating func refused(generation: Int, _ now: Moment) -> (Refusal, Action) {
        guard generation == self.record.generation, self.record.tokens != nil else {
            return (self.isAlive(now) ? .again : self.refusal(now), .none)
        }
        let isNews = self.refused != generation
        self.refused = generation
        if case .final = self.situation { return (self.refusal(now), .none) }
        guard self.isRenewable else {
            return (.refuse(self.endedWords), self.finish(.signInNeeded, self.endedWords, now))
        }
        // Some servers end a token as soon as there is its successor, which another process may be about to have.
        if self.isFlying || self.isRereading || self.holder != nil { return (.wait, .none) }
        if case .refusedByServer(let since, let step) = self.situation {
            guard isNews else { return (.refuse(Self.refusedWords), .none) }
            return (.refuse(Self.refusedWords), self.refusedAgain(since: since, step: step + 1, now))
        }
        // One of a short life may have ended on its way.
        if let obtained, now.steady - obtained.steady < Self.youth, !self.schedule.isDue(now) {
            self.isRereading = true
            return (.wait, .reread)
        }
        // There was patience for the sake of this token, and it is of no use any more.
        if case .confirming(_, _, 2) = self.situation { return (.wait, self.fly()) }
        if let next, !next.isPast(now) { return (self.refusal(now), .none) }
        return (.wait, self.fly())
    }

    /// The server wants a token, and there has been none.
    package mutating func challenged(_ now: Moment) -> Refusal {
        guard self.record.tokens == nil else { return self.refusal(now) }
        let verdict = OAuthRecord.Verdict(
            phase: .signInNeeded, reason: "nobody has signed in: mcp-bridge auth \(self.record.upstream)",
            since: now.wall)
        // It may as well be that the server stops wanting one, so nothing is written down.
        if case .final = self.situation {} else { self.situation = .final(verdict) }
        return .refuse(Self.words(verdict))
    }

    private func refusal(_ now: Moment) -> Refusal {
        switch self.credential(now) {
        case .wait: .wait
        case .refuse(let words): .refuse(words)
        case .none, .token: .again
        }
    }

    mutating func refusedAgain(since: Double, step: Int, _ now: Moment) -> Action {
        self.situation = .refusedByServer(since: since, step: step)
        self.next = now.adding(Self.trials[min(step, Self.trials.count - 1)])
        return .none
    }

    /// The server has taken a token, of this generation.
    package mutating func accepted(generation: Int) {
        guard generation == self.record.generation || self.record.tokens == nil, self.isDoubted else { return }
        self.refused = nil
        switch self.situation {
        case .final where self.record.tokens == nil, .refusedByServer:
            self.situation = .fine
            self.next = nil
        case .final, .fine, .retrying, .confirming, .unclear: break
        }
    }

    /// Whether ``accepted(generation:)`` is of interest.
    package var isDoubted: Bool {
        switch self.situation {
        case .refusedByServer: true
        case .final where self.record.tokens == nil: true
        case .final, .fine, .retrying, .confirming, .unclear: self.refused == self.record.generation
        }
    }

    // MARK: Time

    /// To be called every 15 seconds, and at ``deadline``.
    package mutating func tick(_ now: Moment) -> Action {
        guard !self.isFlying, !self.isRereading else { return .none }
        if let next {
            guard next.isPast(now) else { return .none }
            self.next = nil
            if self.record.discovered == nil || self.needsDiscovery { return .rediscover }
            return self.isRenewable || self.settings.grant == .clientCredentials ? self.fly() : .none
        }
        if let reason = self.unrenewable, self.schedule.isOver(now) { return self.finish(.signInNeeded, reason, now) }
        switch self.situation {
        case .final: return .none
        // There are new ones, which nobody has shown to it yet.
        case .refusedByServer, .fine, .retrying, .confirming, .unclear: break
        }
        guard self.schedule.isDue(now), self.isRenewable, self.record.tokens != nil else { return .none }
        return self.fly()
    }

    private var needsDiscovery: Bool {
        guard let tokens = self.record.tokens, let found = self.record.discovered else { return false }
        return !tokens.issuer.isEmpty && !found.metadata.isOf(tokens.issuer)
    }

    /// When ``tick(_:)`` has something to do, as far as that is known.
    package var deadline: Moment? {
        guard !self.isFlying, self.next == nil else { return self.isFlying ? nil : self.next }
        switch self.situation {
        case .final: return nil
        case .refusedByServer, .fine, .retrying, .confirming, .unclear: break
        }
        if self.unrenewable != nil { return self.schedule.end }
        return self.isRenewable && self.record.tokens != nil ? self.schedule.due : nil
    }

    /// A process before this one was in the middle of a refresh: what it has left is looked at now.
    package mutating func recover(_ now: Moment) -> Action {
        guard self.isRenewable, !self.isFlying else { return .none }
        return self.fly()
    }

    mutating func fly() -> Action {
        self.isFlying = true
        self.next = nil
        return .refresh(generation: self.record.generation)
    }

    /// Takes what is in the state file now.
    package mutating func take(_ record: OAuthRecord, now: Moment, draw: Double) {
        let isNew = record.generation != self.record.generation || record.tokens != self.record.tokens
        self.record = record
        self.schedule = RefreshSchedule(
            issued: record.tokens?.issued ?? 0, expires: record.tokens?.expires,
            refreshExpires: record.tokens?.refreshExpires, now: now, draw: draw)
        if isNew {
            self.refused = nil
            self.unrenewable = nil
        }
        if let verdict = record.verdict {
            self.situation = .final(verdict)
            self.next = nil
        } else if isNew || record.tokens == nil {
            if case .refusedByServer = self.situation, record.tokens != nil {} else { self.situation = .fine }
            self.next = nil
        } else if case .final = self.situation {
            self.situation = .fine
        }
    }

    /// Somebody has signed in, or out.
    package mutating func replaced(by record: OAuthRecord, now: Moment, draw: Double) {
        self.situation = .fine
        self.take(record, now: now, draw: draw)
        self.obtained = now
        self.backoff.forgive()
        self.saved()
    }

    /// What the disk has not taken yet, as it is to be there.
    package var unsaved: OAuthRecord? { self.isUnsaved ? self.record : nil }

    /// A final word, which is written down; a valid token goes on being used.
    mutating func finish(_ phase: OAuthPhase, _ reason: String, _ now: Moment) -> Action {
        let verdict = OAuthRecord.Verdict(phase: phase, reason: reason, since: now.wall)
        self.situation = .final(verdict)
        self.record.verdict = verdict
        // By itself nothing is tried any more, but for once a day.
        self.next = self.isRenewable ? now.adding(Self.day) : nil
        return .keep(.verdict(verdict, generation: self.record.generation))
    }
}

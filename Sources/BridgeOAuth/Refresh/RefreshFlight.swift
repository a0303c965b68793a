package import BridgeConfiguration
import BridgeCore
import NIOCore

/// One refresh, from taking the lock to giving it back: in an order that loses no token, wherever the process dies.
///
/// Pure: each action is carried out by somebody else, and answered by the event named with it.
///
/// | died after | what the next one finds | and does |
/// |---|---|---|
/// | the lock, the reading | nothing | refreshes |
/// | the intent | an intent | uses the same refresh token once more |
/// | the request | an intent | the same: servers give the same successor, or refuse, which is confirmed |
/// | the answer | an answer of this generation, or of one that the disk has not taken | takes its tokens, and asks nobody |
/// | the commit | an answer of an older generation | clears it away |
///
/// Where the disk has not taken the last tokens, those in memory are the only good ones: they are written first, and used
/// whether that succeeds or not, and what is older on the disk is shown to nobody.
package struct RefreshFlight: Sendable {
    package enum Action: Sendable, Equatable {
        /// Answered by ``locked(holder:)``.
        case lock
        /// The state file, the intent and the answer, as they are on the disk. Answered by ``read(_:intent:answer:)``.
        case read
        /// To be on the disk when ``written(_:)`` is told.
        case writeIntent(RefreshIntent)
        /// Answered by ``answered(_:now:)``.
        case send(WebRequest)
        /// As ``writeIntent(_:)``.
        case writeAnswer(KeptAnswer)
        /// Replaces the state file, and keeps the one before beside it. As ``writeIntent(_:)``.
        case commit(OAuthRecord)
        /// Takes intent and answer away. As ``writeIntent(_:)``.
        case clear
        /// The lock is given back, and it is over.
        case end(Outcome)
    }

    package enum Outcome: Sendable, Equatable {
        case refreshed(OAuthRecord)
        /// Somebody else has refreshed them, or has signed in or out.
        case adopted(OAuthRecord)
        /// There are new tokens, and the disk does not take them.
        case unsaved(OAuthRecord, String)
        case verdict(TokenVerdict)
        /// Another process is at it.
        case busy(String)
        /// The state cannot be read or written, which says nothing about the tokens.
        case storeTrouble(String)
    }

    private enum State: Sendable {
        case new, locking, reading, saving, intending, sending
        case keeping(WebAnswer)
        case committing(OAuthRecord)
        case clearing(Outcome)
        case over
    }

    private let generation: Int
    private let settings: OAuthSettings
    /// Newer tokens than the disk has, as far as is known.
    private let unsaved: OAuthRecord?
    /// Whether the tokens are in memory only.
    private var isUnsaved = false
    private var state = State.new
    private var record: OAuthRecord?
    private var variants: RefreshVariants?
    /// The last answer, while it is looked at.
    private var now = Moment(wall: 0, steady: 0)

    /// - Parameters:
    ///   - generation: of the tokens that are to be replaced.
    ///   - unsaved: what there is in memory, where the disk has not taken it.
    package init(generation: Int, settings: OAuthSettings, unsaved: OAuthRecord? = nil) {
        self.generation = generation
        self.settings = settings
        self.unsaved = unsaved
    }

    package mutating func begin() -> Action {
        self.state = .locking
        return .lock
    }

    /// - Parameter holder: who has the lock; nil when it is ours.
    package mutating func locked(holder: String?) -> Action {
        guard case .locking = self.state else { return self.end(.storeTrouble("the lock was not asked for")) }
        if let holder { return self.end(.busy(holder)) }
        self.state = .reading
        return .read
    }

    package mutating func lockFailed(_ words: String) -> Action { self.end(.storeTrouble(words)) }

    package mutating func read(
        _ record: OAuthRecord?, intent: RefreshIntent?, answer: KeptAnswer?, now: Moment
    ) -> Action {
        guard case .reading = self.state else { return self.end(.storeTrouble("nothing was to be read")) }
        if let unsaved, record.map({ $0.generation < unsaved.generation }) ?? true {
            var newer = record ?? unsaved
            newer.take(tokensOf: unsaved)
            self.record = newer
            self.now = now
            self.state = .saving
            return .commit(newer)
        }
        guard let record else { return self.end(.storeTrouble("the state file is gone")) }
        self.record = record
        guard let tokens = record.tokens else { return self.end(.adopted(record)) }
        self.variants = RefreshVariants(record, tokens, self.settings)
        if let answer, answer.generation >= record.generation, record.generation == self.generation {
            let verdict = TokenVerdict.of(.reply(answer.reply), now: Moment(wall: answer.came, steady: now.steady))
            let isOfThese = answer.generation == record.generation
            if case .issued(let issued) = verdict, isOfThese || issued.refresh != nil {
                self.record?.generation = answer.generation
                return self.commit(issued, at: answer.came)
            }
        }
        guard record.generation == self.generation else {
            // Ours is an old one: it is never used again.
            return self.clear(then: .adopted(record))
        }
        return self.intend(record, now)
    }

    private mutating func intend(_ record: OAuthRecord, _ now: Moment) -> Action {
        guard self.variants?.canAsk ?? false else { return self.end(.adopted(record)) }
        self.state = .intending
        return .writeIntent(RefreshIntent(generation: record.generation, began: now.wall))
    }

    package mutating func readFailed(_ words: String) -> Action { self.end(.storeTrouble(words)) }

    /// - Parameter trouble: why it is not on the disk; nil when it is.
    package mutating func written(_ trouble: String?) -> Action {
        switch self.state {
        case .saving:
            guard let record, let tokens = record.tokens else { return self.end(.storeTrouble("there are no tokens")) }
            self.isUnsaved = trouble != nil
            self.variants = RefreshVariants(record, tokens, self.settings)
            return self.intend(record, self.now)
        case .intending:
            // Without it, a crash would leave nobody the wiser. Of tokens in memory it leaves nothing anyway.
            if let trouble, !self.isUnsaved { return self.end(.storeTrouble(trouble)) }
            return self.send()
        case .keeping(let answer):
            // The answer is in memory, too: what matters is that it is used.
            return self.judge(answer)
        case .committing(let record):
            if let trouble { return self.end(.unsaved(record, trouble)) }
            return self.clear(then: .refreshed(record))
        case .clearing(let outcome): return self.end(outcome)
        case .new, .locking, .reading, .sending, .over: return self.end(.storeTrouble("nothing was to be written"))
        }
    }

    private mutating func send() -> Action {
        guard let request = self.variants?.request else {
            return self.end(.storeTrouble("there is nothing to ask with"))
        }
        self.state = .sending
        return .send(request)
    }

    package mutating func answered(_ answer: WebAnswer, now: Moment) -> Action {
        guard case .sending = self.state, let record else { return self.end(.storeTrouble("nothing was asked")) }
        self.now = now
        switch answer {
        case .failed: return self.judge(answer)
        case .reply(let reply):
            self.state = .keeping(answer)
            return .writeAnswer(KeptAnswer(generation: record.generation, reply: reply, came: now.wall))
        }
    }

    private mutating func judge(_ answer: WebAnswer) -> Action {
        let secrets = (self.record?.secrets ?? []) + [self.settings.clientSecret].compactMap { $0 }
        let verdict = TokenVerdict.of(answer, now: self.now, hiding: secrets)
        if case .issued(let issued) = verdict { return self.commit(issued, at: self.now.wall) }
        if self.variants?.next(after: verdict) ?? false { return self.send() }
        switch verdict {
        // It may have been used up: the next one is to know.
        case .unknown: return self.end(.verdict(verdict))
        default: return self.clear(then: .verdict(verdict))
        }
    }

    private mutating func commit(_ issued: IssuedTokens, at time: Double) -> Action {
        guard var record, let tokens = record.tokens else { return self.end(.storeTrouble("there are no tokens")) }
        record.tokens = tokens.replaced(by: issued, now: time)
        record.generation += 1
        record.verdict = nil
        self.variants?.remember(in: &record)
        self.state = .committing(record)
        return .commit(record)
    }

    private mutating func clear(then outcome: Outcome) -> Action {
        self.state = .clearing(outcome)
        return .clear
    }

    private mutating func end(_ outcome: Outcome) -> Action {
        self.state = .over
        return .end(outcome)
    }
}

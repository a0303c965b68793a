import BridgeAccess
import BridgeCore
import NIOCore

/// Counts what holders of tokens ask, and says what is too much. What there is to give is taken of the store in leases, so
/// that nothing is given twice, whatever becomes of this process. Confined to the event loop.
final class LimitDesk {
    enum Verdict {
        case granted
        case refused(Refusal)
        /// The store has been asked, and says when there is an answer.
        case waits(Turn)
    }

    /// The place of one request among those that wait for the same meter.
    struct Turn {
        fileprivate let meter: Meter

        /// Calls back, once, when there is an answer: then it is to be asked again.
        func wait(_ again: @escaping () -> Void) { self.meter.waiting.append(again) }
    }

    /// One token's, or that of all together.
    fileprivate final class Meter {
        var rate: RateMeter?
        var budget: BudgetMeter?
        let unit: TokenBudget.Unit
        var isAskingRate = false
        var isAskingBudget = false
        /// Who waits for an answer of the store; nobody where none is on its way.
        var waiting: [() -> Void] = []

        init(rate: TokenRate?, budget: TokenBudget?) {
            self.rate = rate.map(RateMeter.init)
            self.budget = budget.map { BudgetMeter(limit: $0.amount) }
            self.unit = budget?.unit ?? .requests
        }

        var limit: TokenBudget? { self.budget.map { TokenBudget($0.limit, self.unit) } }

        /// Asks those that wait one after the other, until one has to wait for the next answer: so do all behind it.
        func wake() {
            let waiting = self.waiting
            self.waiting = []
            for (index, again) in waiting.enumerated() {
                again()
                guard self.waiting.isEmpty else {
                    self.waiting += waiting[(index + 1)...]
                    return
                }
            }
        }
    }

    private let loop: any EventLoop
    private var meters: [String: Meter] = [:]
    private var all: Meter?
    /// Where there is none, nothing limited is let through.
    private let store: (any AccessStore)?
    /// Before that nothing is asked of a store that has failed; microseconds since 1970.
    private var failedUntil: Int64 = 0
    private static let patience: Int64 = 1_000_000
    /// Under which the store knows what holds for all tokens together. No token is called so.
    private static let allKey = "*"

    init(_ store: (any AccessStore)?, loop: any EventLoop, rate: TokenRate?) {
        self.store = store
        self.loop = loop
        self.reconfigure(rate: rate)
    }

    /// - Parameter rate: of all tokens together.
    func reconfigure(rate: TokenRate?) {
        guard rate != self.all?.rate?.rate else { return }
        self.all = rate.map { Meter(rate: $0, budget: nil) }
    }

    /// Forgets what was counted of tokens that are not there any more.
    func keepCounting(_ tokens: TokenTable) {
        guard self.meters.count > tokens.count else { return }
        self.meters = self.meters.filter { key, _ in TokenID(key).flatMap { tokens.token($0) } != nil }
    }

    /// Whether what this one asks is counted.
    ///
    /// - Parameter usage: how many tokens of models it is at least.
    func counts(_ token: TokenHolder, usage: Int = 0) -> Bool {
        token.isLimited || self.all != nil || (usage > 0 && token.tokenBudget != nil)
    }

    /// Whether so many requests may be made now. What is granted is counted.
    ///
    /// - Parameters:
    ///   - usage: how many tokens of models they use at least.
    ///   - arrival: when they came, where they have waited since. It may be later than now: a clock can be set.
    func admit(
        _ count: Int, _ token: TokenHolder, usage: Int = 0, arrival: Int64? = nil,
        now: Int64 = WallClock.microseconds()
    ) -> Verdict {
        guard self.counts(token, usage: usage) else { return .granted }
        let meter = self.meter(of: token)
        let arrival = min(arrival ?? now, now)
        let wish = Wish(
            count: count, amount: meter.unit == .tokens ? usage : count, arrival: arrival,
            day: WallClock.day(of: arrival), now: now)
        // All are asked before any of them counts.
        if let verdict = self.check(self.all, Self.allKey, wish) { return verdict }
        if let verdict = self.check(meter, token.id.text, wish) { return verdict }
        let amount = wish.amount
        self.all?.rate?.spend(count, now: arrival)
        meter.rate?.spend(count, now: arrival)
        if amount > 0 { meter.budget?.spend(amount) }
        return .granted
    }

    /// Counts tokens of models that have been used.
    func use(_ usage: Int, of token: TokenHolder, now: Int64 = WallClock.microseconds()) {
        let meter = self.meter(of: token)
        let day = WallClock.day(of: now)
        guard meter.unit == .tokens, meter.budget?.use(usage, day: day) == true else { return }
        _ = self.askBudget(of: meter, token.id.text, 0, day, now)
    }

    /// What is asked for: so many requests, and so much of a day's budget.
    private struct Wish {
        let count: Int
        let amount: Int
        /// Microseconds since 1970, as ``now`` is, and not after it.
        let arrival: Int64
        let day: Int
        let now: Int64
    }

    private func meter(of token: TokenHolder) -> Meter {
        if let meter = self.meters[token.id.text], meter.rate?.rate == token.limits.rate,
            meter.limit == token.limits.budget
        {
            return meter
        }
        let meter = Meter(rate: token.limits.rate, budget: token.limits.budget)
        self.meters[token.id.text] = meter
        return meter
    }

    /// - Returns: nil where nothing is against it.
    private func check(_ meter: Meter?, _ key: String, _ wish: Wish) -> Verdict? {
        guard let meter else { return nil }
        let now = wish.now
        switch meter.rate?.check(wish.count, arrival: wish.arrival, now: now) {
        case nil, .granted: break
        case .refused(let until): return .refused(Self.tooFast(meter, key, until: until, now))
        case .never: return .refused(Self.tooMany(meter, wish.count))
        case .needsLease:
            guard self.askRate(of: meter, key, wish.count, now) else { return .refused(.limitsUnwritable) }
            return .waits(Turn(meter: meter))
        }
        guard wish.amount > 0 else { return nil }
        switch meter.budget?.check(wish.amount, day: wish.day) {
        case nil, .granted: return nil
        case .refused: return .refused(Self.spent(meter, wish.day, now))
        case .needsLease:
            guard self.askBudget(of: meter, key, wish.amount, wish.day, now) else {
                return .refused(.limitsUnwritable)
            }
            return .waits(Turn(meter: meter))
        }
    }

    // MARK: Leases

    private func askRate(of meter: Meter, _ key: String, _ count: Int, _ now: Int64) -> Bool {
        guard let store, let rate = meter.rate, self.mayAsk(at: now) else { return false }
        guard !meter.isAskingRate else { return true }
        meter.isAskingRate = true
        let bound = NIOLoopBound(meter, eventLoop: self.loop)
        let desk = NIOLoopBound(self, eventLoop: self.loop)
        store.take(rate.leaseSize(for: count), least: count, of: rate.rate, for: key) { [loop] answer in
            loop.execute {
                bound.value.isAskingRate = false
                if case .success(let outcome) = answer { bound.value.rate?.took(outcome, for: count) }
                desk.value.answered(bound.value, answer.map { _ in })
            }
        }
        return true
    }

    private func askBudget(of meter: Meter, _ key: String, _ count: Int, _ day: Int, _ now: Int64) -> Bool {
        guard let store, let token = TokenID(key), let budget = meter.budget, self.mayAsk(at: now) else {
            return false
        }
        guard !meter.isAskingBudget else { return true }
        meter.isAskingBudget = true
        let asked = budget.leaseSize(for: count, day: day)
        let least = budget.leastLease(for: count, day: day)
        let bound = NIOLoopBound(meter, eventLoop: self.loop)
        let desk = NIOLoopBound(self, eventLoop: self.loop)
        store.take(asked, least: least, of: token, day: day, limit: budget.limit) { [loop] answer in
            loop.execute {
                bound.value.isAskingBudget = false
                if case .success(let amount) = answer {
                    bound.value.budget?.took(amount, asked: asked, least: least, day: day)
                }
                desk.value.answered(bound.value, answer.map { _ in })
            }
        }
        return true
    }

    /// A clock that was set back makes nobody wait longer than the store is left alone.
    private func mayAsk(at now: Int64) -> Bool { !(1...Self.patience).contains(self.failedUntil - now) }

    private func answered(_ meter: Meter, _ answer: Result<Void, StoreTrouble>) {
        if case .failure = answer { self.failedUntil = WallClock.microseconds() + Self.patience }
        meter.wake()
    }

    /// What was taken of budgets and not used goes back: the process ends.
    func giveBack() {
        for (key, meter) in self.meters {
            if let token = TokenID(key), let rest = meter.budget?.takeRest() {
                self.store?.giveBack(rest.amount, of: token, day: rest.day) { _ in }
            }
        }
    }

    // MARK: What is told

    /// What answers to this one say of its limits; nil where they say nothing.
    func fields(for token: TokenHolder?, now: @autoclosure () -> Int64 = WallClock.microseconds()) -> AccessFields? {
        guard let token, token.limits.rate != nil || token.until != nil else { return nil }
        var fields = AccessFields()
        let now = now()
        if let until = token.until, until < Int(now / 1_000_000) + AccessFields.lastDay { fields.expires = until }
        if token.limits.rate != nil, let rate = self.meter(of: token).rate {
            fields.rate = (rate.rate.count, rate.left(now: now), rate.reset(now: now))
        }
        return fields.isEmpty ? nil : fields
    }

    private static func tooFast(_ meter: Meter, _ key: String, until: Int64, _ now: Int64) -> Refusal {
        let rate = meter.rate?.rate.description ?? ""
        let whose =
            key == Self.allKey
            ? "All tokens together may make \(rate) (limits.tokenRate)" : "The token may make \(rate)"
        return .limited(
            Fault.rateLimited.told(["what": "Too many requests: \(whose)"], details: .retryAfter(until - now)),
            after: until - now)
    }

    private static func tooMany(_ meter: Meter, _ count: Int) -> Refusal {
        let limit = meter.rate?.rate.description ?? ""
        return Refusal(
            Fault.rateLimited.told(["what": "A batch of \(count) is never let through by a limit of \(limit)"]))
    }

    private static func spent(_ meter: Meter, _ day: Int, _ now: Int64) -> Refusal {
        let left = Int64(day + 1) * 86_400_000_000 - now
        let limit = "\(meter.budget?.limit ?? 0) \(meter.unit.rawValue)"
        return .limited(Fault.budgetSpent.told(["limit": limit], details: .retryAfter(left)), after: left)
    }
}

extension Refusal {
    /// - Parameter after: in microseconds.
    fileprivate static func limited(_ told: ToldFault, after: Int64) -> Refusal {
        Refusal(told, field: Field(name: "Retry-After", value: "\(JSONText.wholeSeconds(after))"))
    }
}

extension JSONText {
    fileprivate static func wholeSeconds(_ microseconds: Int64) -> Int {
        max(1, Int((microseconds + 999_999) / 1_000_000))
    }

    /// What an error has in its `data` that is over in so many microseconds.
    fileprivate static func retryAfter(_ microseconds: Int64) -> JSONText {
        JSONWriter.object { $0.member("retryAfter", Self.wholeSeconds(microseconds)) }
    }
}

import BridgeAccess

@testable import BridgeFront

/// A store whose answers a test gives.
///
/// `@unchecked`: it is used on the test's one thread.
final class StoreInPlace: AccessStore, @unchecked Sendable {
    var stock = TokenStock(tokens: [], revision: 1)
    var trouble: StoreTrouble?
    /// Batches that were written.
    var written: [[AuditRow]] = []
    /// Batches that have no answer yet, while ``isSlow``.
    var pending: [() -> Void] = []
    var isSlow = false
    var reads = 0
    /// What another process does before this one's next change.
    var beforePut: (() -> Void)?
    /// Leases that have no answer yet; nil where each has one at once.
    var leases: [() -> Void]?
    /// The time of day; microseconds since 1970.
    var clock = WallClock.microseconds
    /// What is left of every budget; nil where nothing limits it.
    var budget: Int?
    var buckets: [String: TokenBucket] = [:]

    private func give<Value>(_ answer: @escaping StoreAnswer<Value>, _ value: () -> Value) {
        if let trouble { answer(.failure(trouble)) } else { answer(.success(value())) }
    }

    func tokens(_ answer: @escaping StoreAnswer<TokenStock>) {
        self.reads += 1
        self.give(answer) { self.stock }
    }

    func put(_ token: Token, over revision: Int, _ answer: @escaping StoreAnswer<TokenChange>) {
        self.beforePut?()
        self.beforePut = nil
        self.give(answer) {
            guard self.stock.revision == revision else { return .outdated }
            self.stock.tokens.removeAll { $0.id == token.id }
            self.stock.tokens.append(token)
            self.stock.revision += 1
            return .written(self.stock.revision)
        }
    }

    func revoke(_ token: TokenID, at time: Int, _ answer: @escaping StoreAnswer<Int>) {
        self.give(answer) {
            for index in self.stock.tokens.indices where self.stock.tokens[index].id == token {
                self.stock.tokens[index].revoked = self.stock.tokens[index].revoked ?? time
            }
            self.stock.revision += 1
            return self.stock.revision
        }
    }

    func revision(_ answer: @escaping StoreAnswer<Int>) { self.give(answer) { self.stock.revision } }

    private func lease(_ act: @escaping () -> Void) {
        if self.leases == nil { act() } else { self.leases?.append(act) }
    }

    func take(
        _ amount: Int, least: Int, of token: TokenID, day: Int, limit: Int, _ answer: @escaping StoreAnswer<Int>
    ) {
        self.lease { self.give(answer) { self.granted(amount, least) } }
    }

    private func granted(_ amount: Int, _ least: Int) -> Int {
        let left = self.budget ?? amount
        let granted = left < least ? 0 : min(amount, left)
        self.budget = self.budget.map { $0 - granted }
        return granted
    }

    func giveBack(_ amount: Int, of token: TokenID, day: Int, _ answer: @escaping StoreAnswer<Void>) {
        self.give(answer) { self.budget = self.budget.map { $0 + amount } }
    }

    func taken(day: Int, _ answer: @escaping StoreAnswer<[TokenID: Int]>) { self.give(answer) { [:] } }

    func take(
        _ most: Int, least: Int, of rate: TokenRate, for key: String,
        _ answer: @escaping StoreAnswer<TokenBucket.Outcome>
    ) {
        self.lease {
            self.give(answer) {
                self.buckets[key, default: TokenBucket()].take(most, least: least, of: rate, now: self.clock())
            }
        }
    }

    func append(_ rows: [AuditRow], _ answer: @escaping StoreAnswer<Void>) {
        let act = { self.give(answer) { self.written.append(rows) } }
        if self.isSlow { self.pending.append(act) } else { act() }
    }

    func rows(_ query: AuditQuery, _ answer: @escaping StoreAnswer<AuditPage>) {
        self.give(answer) { AuditPage(rows: self.written.flatMap(\.self), last: 0) }
    }

    func usage(since time: Int, of token: TokenID?, _ answer: @escaping StoreAnswer<[TokenUsage]>) {
        self.give(answer) { [] }
    }

    func prune(before time: Int, _ answer: @escaping StoreAnswer<Void>) { self.give(answer) {} }
}

import BridgeAccess
import BridgeCore
import Logging
import NIOCore

/// The tokens there are, in memory, and what is known of the store behind them. Confined to the event loop.
///
/// They are read once, and again when another process has changed them: a front that drains, and the one after it, have the
/// same store. Until they are read for the first time nobody's token is good; it is tried again with growing pauses.
final class TokenBook {
    enum Condition {
        /// They are being read for the first time.
        case loading
        case known
        /// They have never been read, and why.
        case unreadable(StoreTrouble)
    }

    private(set) var condition = Condition.loading
    /// Called after each change of a token or of the condition, with the tokens where they are known.
    var onChange: ((TokenTable?) -> Void)?

    private let stores: FrontStores?
    private let loop: any EventLoop
    private let logger: Logger
    private var table: TokenTable
    private var backoff = Backoff(base: .seconds(1), maximum: .seconds(30))
    /// Of what is in memory.
    private var revision: Int?
    private var isReading = false
    /// Who waits for what is being read.
    private var readers: [() -> Void] = []
    private let revocations: Revocations?
    private var turns = CircularBuffer<() -> Void>()
    private var isInTurn = false
    /// Changes that may wait for their turn.
    private static let room = 1_024
    private var timer: Scheduled<Void>?
    /// Between two looks at whether another process has changed anything.
    private static let interval = TimeAmount.seconds(5)
    private static let shortInterval = TimeAmount.seconds(1)
    private var interval = TokenBook.interval
    private var isClosed = false
    private let settled: EventLoopPromise<Void>

    init(_ stores: FrontStores?, loop: any EventLoop, logger: Logger) {
        self.stores = stores
        self.loop = loop
        self.logger = logger
        self.table = TokenTable(key: stores?.key ?? .random())
        self.revocations = stores.map { Revocations($0.store, loop: loop, logger: logger) }
        self.settled = loop.makePromise()
    }

    deinit { if case .loading = self.condition { self.settled.succeed() } }

    /// Succeeds once the tokens are known, or are known to be unreadable.
    var isSettled: EventLoopFuture<Void> { self.settled.futureResult }

    /// Reads the tokens, and goes on trying.
    func start() {
        guard let stores else { return self.become(.known) }
        guard !self.isReading else { return }
        self.isReading = true
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        let loop = self.loop
        stores.store.tokens { result in loop.execute { bound.value.loaded(result) } }
    }

    func close() {
        self.isClosed = true
        self.revocations?.close()
        self.settled.succeed()
        self.timer?.cancel()
        self.onChange = nil
    }

    /// The service stops, or this front is replaced: whatever changes, changes elsewhere from now on.
    func drain() {
        self.interval = Self.shortInterval
        self.look(after: self.interval)
    }

    /// In no order.
    var tokens: [Token] { self.table.tokens }

    func token(_ id: TokenID) -> Token? { self.table.token(id) }

    /// Reads the tokens anew, and calls back, whatever came of it.
    func read(_ done: @escaping () -> Void) {
        self.readers.append(done)
        self.start()
    }

    // MARK: Changes

    /// Does one change after the other, so that each is decided by what the one before it has left. ``turnIsOver()`` ends it.
    ///
    /// - Returns: false where there are too many.
    func inTurn(_ change: @escaping () -> Void) -> Bool {
        guard self.turns.count < Self.room else { return false }
        self.turns.append(change)
        if !self.isInTurn { self.turnIsOver() }
        return true
    }

    func turnIsOver() {
        let next = self.turns.popFirst()
        self.isInTurn = next != nil
        next?()
    }

    /// Writes a token that was decided by those that there are here, and takes it up once it is written.
    func put(_ token: Token, _ done: @escaping (Result<TokenChange, StoreTrouble>) -> Void) {
        guard let stores else { return done(.failure(Self.nowhere)) }
        guard let revision else { return done(.success(.outdated)) }
        let bound = NIOLoopBound((self, done), eventLoop: self.loop)
        let loop = self.loop
        stores.store.put(token, over: revision) { result in
            loop.execute {
                let (book, done) = bound.value
                if case .success(.written(let revision)) = result {
                    book.table.put(book.revocations?.applied(to: token) ?? token)
                    book.wrote(revision)
                }
                done(result)
            }
        }
    }

    /// Ends a token now, whatever becomes of the store, and goes on until that is written.
    ///
    /// - Parameter done: told whether it is.
    func revoke(_ token: Token, at time: Int, _ done: @escaping (Result<Void, StoreTrouble>) -> Void) {
        guard let revocations else { return done(.failure(Self.nowhere)) }
        revocations.add(token.id, at: token.revoked ?? time) { [weak self] result in
            if case .success(let revision) = result { self?.wrote(revision) }
            done(result.map { _ in })
        }
        self.table.put(revocations.applied(to: token))
        self.changed()
    }

    /// A change of this book's own is written.
    private func wrote(_ revision: Int) {
        let isNext = self.revision == revision - 1
        self.revision = isNext ? revision : nil
        self.changed()
        if !isNext { self.start() }
    }

    private static let nowhere = StoreTrouble(.unreachable, "This service has no place to keep tokens in.")

    private func loaded(_ result: Result<TokenStock, StoreTrouble>) {
        self.isReading = false
        let readers = self.readers
        self.readers = []
        defer { for reader in readers { reader() } }
        guard !self.isClosed else { return }
        switch result {
        case .success(let stock):
            self.backoff.forgive()
            self.table.replaceAll(with: stock.tokens.map { self.revocations?.applied(to: $0) ?? $0 })
            self.revision = stock.revision
            self.become(.known)
            self.look(after: self.interval)
        case .failure(let trouble):
            let pause = self.backoff.failed(draw: .random(in: 0..<1))
            self.logger.error(
                "Tokens cannot be read", metadata: ["error.code": "store_\(trouble.kind)", "error": "\(trouble)"])
            if case .known = self.condition {} else { self.become(.unreadable(trouble)) }
            self.later(TimeAmount(pause)) { $0.start() }
        }
    }

    /// Whether another process has changed anything.
    private func look(after time: TimeAmount) {
        guard let stores else { return }
        self.later(time) { book in
            let bound = NIOLoopBound(book, eventLoop: book.loop)
            let loop = book.loop
            stores.store.revision { result in loop.execute { bound.value.looked(result) } }
        }
    }

    private func looked(_ result: Result<Int, StoreTrouble>) {
        guard !self.isClosed, !self.isReading else { return }
        // What cannot be read at the moment changes nothing.
        if case .success(let revision) = result, revision != self.revision { return self.start() }
        self.look(after: self.interval)
    }

    private func later(_ time: TimeAmount, _ body: @escaping (TokenBook) -> Void) {
        self.timer?.cancel()
        self.timer = self.loop.assumeIsolated().scheduleTask(in: time) { [weak self] in if let self { body(self) } }
    }

    private func become(_ condition: Condition) {
        self.condition = condition
        self.settled.succeed()
        self.changed()
    }

    private func changed() {
        if case .known = self.condition { self.onChange?(self.table) } else { self.onChange?(nil) }
    }
}

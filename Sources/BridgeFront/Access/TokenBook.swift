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
        self.settled.succeed()
        self.timer?.cancel()
        self.onChange = nil
    }

    /// The service stops, or this front is replaced: whatever changes, changes elsewhere from now on.
    func drain() {
        self.interval = Self.shortInterval
        self.look(after: self.interval)
    }

    /// By age.
    var tokens: [Token] { self.table.tokens }

    func token(_ id: TokenID) -> Token? { self.table.token(id) }

    /// Writes a token, and takes it up once it is written.
    func put(_ token: Token, _ done: @escaping (Result<Void, StoreTrouble>) -> Void) {
        guard let stores else {
            return done(.failure(StoreTrouble(.unreachable, "This service has no place to keep tokens in.")))
        }
        let bound = NIOLoopBound((self, done), eventLoop: self.loop)
        let loop = self.loop
        stores.store.put(token) { result in
            loop.execute {
                let (book, done) = bound.value
                if case .success(let revision) = result { book.take(token, revision) }
                done(result.map { _ in })
            }
        }
    }

    private func take(_ token: Token, _ revision: Int) {
        let isNext = self.revision == revision - 1
        self.table.put(token)
        self.revision = isNext ? revision : nil
        self.changed()
        if !isNext { self.start() }
    }

    private func loaded(_ result: Result<TokenStock, StoreTrouble>) {
        self.isReading = false
        guard !self.isClosed else { return }
        switch result {
        case .success(let stock):
            self.backoff.forgive()
            self.table.replaceAll(with: stock.tokens)
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

import BridgeAccess
import BridgeCore
import Glibc
import Logging
import NIOCore

/// The tokens there are, in memory, and what is known of the store behind them. Confined to the event loop.
///
/// They are read once. Until then, and as long as they cannot be read, nobody's token is good; it is tried again with
/// growing pauses.
final class TokenBook {
    enum Condition {
        /// They are being read for the first time.
        case loading
        case known
        /// They have never been read, and why.
        case unreadable(StoreTrouble)
    }

    private(set) var condition = Condition.loading
    /// Called after each change of a token or of the condition; ``epoch`` has moved.
    var onChange: (() -> Void)?
    /// Moves with each change of a token or of the condition: a verdict is as old as the epoch that it was made in. Expiry
    /// does not move it: a verdict says until when it holds.
    private(set) var epoch = 0

    private let stores: FrontStores?
    private let loop: any EventLoop
    private let logger: Logger
    private var table: TokenTable
    private var backoff = Backoff(base: .seconds(1), maximum: .seconds(30))
    private var retry: Scheduled<Void>?
    private var isClosed = false

    init(_ stores: FrontStores?, loop: any EventLoop, logger: Logger) {
        self.stores = stores
        self.loop = loop
        self.logger = logger
        self.table = TokenTable(key: stores?.key ?? .random())
    }

    /// Reads the tokens, and goes on trying.
    func start() {
        guard let stores else { return self.become(.known) }
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        let loop = self.loop
        stores.store.tokens { result in loop.execute { bound.value.loaded(result) } }
    }

    func close() {
        self.isClosed = true
        self.retry?.cancel()
        self.onChange = nil
    }

    /// By age.
    var tokens: [Token] { self.table.tokens }

    func token(_ id: TokenID) -> Token? { self.table.token(id) }

    /// Whether a secret as a client presents it lets it in now. While the tokens are not known, none does.
    func authenticate(_ presented: Substring) -> TokenTable.Verdict {
        self.table.authenticate(presented, now: time(nil))
    }

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
                if case .success = result { book.take(token) }
                done(result)
            }
        }
    }

    private func take(_ token: Token) {
        self.table.put(token)
        self.changed()
    }

    private func loaded(_ result: Result<[Token], StoreTrouble>) {
        guard !self.isClosed else { return }
        switch result {
        case .success(let tokens):
            self.backoff.forgive()
            self.table.replaceAll(with: tokens)
            self.become(.known)
        case .failure(let trouble):
            self.tryAgain(after: trouble)
        }
    }

    private func tryAgain(after trouble: StoreTrouble) {
        let pause = self.backoff.failed(draw: .random(in: 0..<1))
        self.logger.error("Tokens cannot be read", metadata: ["error.code": "\(trouble.kind)", "error": "\(trouble)"])
        self.retry = self.loop.assumeIsolated().scheduleTask(in: TimeAmount(pause)) { [weak self] in self?.start() }
        self.become(.unreadable(trouble))
    }

    private func become(_ condition: Condition) {
        self.condition = condition
        self.changed()
    }

    private func changed() {
        self.epoch += 1
        self.onChange?()
    }
}

import BridgeAccess
import BridgeCore
import Logging
import NIOCore

/// Tokens that have been revoked here and are not yet so in the store: they are good no longer, whatever is read of it. They are
/// written as soon as that goes. Confined to the event loop.
final class Revocations {
    private let store: any TokenStore
    private let loop: any EventLoop
    private let logger: Logger
    /// Since when; seconds since 1970.
    private var pending: [TokenID: Int] = [:]
    private var backoff = Backoff(base: .seconds(1), maximum: .seconds(30))
    private var timer: Scheduled<Void>?
    private var isClosed = false

    init(_ store: any TokenStore, loop: any EventLoop, logger: Logger) {
        self.store = store
        self.loop = loop
        self.logger = logger
    }

    /// - Parameter done: told what has come of the first attempt: the revision that there is now.
    func add(_ token: TokenID, at time: Int, _ done: @escaping (Result<Int, StoreTrouble>) -> Void) {
        self.pending[token] = min(self.pending[token] ?? time, time)
        self.write(token, done)
    }

    /// A token as it is, whatever the store says of it.
    func applied(to token: Token) -> Token {
        guard let time = self.pending[token.id] else { return token }
        var token = token
        token.revoked = token.revoked ?? time
        return token
    }

    /// What has not been written by now never is.
    func close() {
        self.isClosed = true
        self.timer?.cancel()
        for token in self.pending.keys {
            self.logger.error("A token's revocation was never written", metadata: ["mcp.token": "\(token)"])
        }
    }

    private func write(_ token: TokenID, _ done: @escaping (Result<Int, StoreTrouble>) -> Void) {
        guard let time = self.pending[token] else { return }
        let bound = NIOLoopBound((self, done), eventLoop: self.loop)
        let loop = self.loop
        self.store.revoke(token, at: time) { result in
            loop.execute {
                let (revocations, done) = bound.value
                revocations.written(token, result)
                done(result)
            }
        }
    }

    private func written(_ token: TokenID, _ result: Result<Int, StoreTrouble>) {
        switch result {
        case .success:
            self.pending[token] = nil
            self.backoff.forgive()
        case .failure(let trouble):
            self.logger.error(
                "A token's revocation cannot be written",
                metadata: [
                    "mcp.token": "\(token)", "error.code": "store_\(trouble.kind)", "error": "\(trouble)",
                ])
            self.tryLater()
        }
    }

    /// One of them is tried, and the next one when that went well: a store in trouble is not asked for all of them.
    private func tryLater() {
        guard self.timer == nil, !self.isClosed else { return }
        let pause = TimeAmount(self.backoff.failed(draw: .random(in: 0..<1)))
        self.timer = self.loop.assumeIsolated().scheduleTask(in: pause) { [weak self] in
            self?.timer = nil
            self?.tryNext()
        }
    }

    private func tryNext() {
        guard let token = self.pending.keys.first else { return }
        self.write(token) { [weak self] result in
            guard case .success = result else { return }
            self?.logger.notice("A token's revocation is written", metadata: ["mcp.token": "\(token)"])
            self?.tryNext()
        }
    }
}

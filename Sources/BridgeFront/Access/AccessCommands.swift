import BridgeAccess
import BridgeConfiguration
package import NIOCore
import NIOPosix

extension FrontWorker {
    /// Does what an administrator asks about tokens and the audit: an ``AccessCommand`` in, an ``AccessReply`` out. Called on
    /// the worker's loop, and answers there.
    package func access(_ payload: ByteBuffer, _ done: @escaping (ByteBuffer) -> Void) {
        let state = self.state.value
        let bound = NIOLoopBound(done, eventLoop: state.loop)
        let loop = state.loop
        state.access(payload) { reply in
            // A long one on the thread that it comes from.
            let bytes = Self.encoded(reply)
            loop.execute { bound.value(bytes) }
        }
    }

    private static func encoded(_ reply: AccessReply) -> ByteBuffer {
        (try? WorkerConfigurationCoding.encode(reply)) ?? ByteBuffer(string: "{}")
    }
}

extension FrontState {
    /// Answers on any thread: a reply that is long to write down, never on the loop's.
    func access(_ payload: ByteBuffer, _ done: @escaping @Sendable (AccessReply) -> Void) {
        guard let command = try? WorkerConfigurationCoding.decode(AccessCommand.self, from: payload) else {
            return done(.refused(word: "invalid", text: "The command is none that this service knows."))
        }
        guard let stores = self.stores else {
            return done(.refused(word: "store_unreachable", text: "This service has no place to keep tokens in."))
        }
        switch self.tokenBook.condition {
        case .known: break
        case .unreadable(let trouble): return done(.refused(trouble))
        case .loading: return done(.refused(word: "loading", text: "The tokens are still being read. Try again."))
        }
        if case .list = command { return Self.list(self.tokenBook.tokens, done) }
        guard command.isDecidedInTurn else { return self.carryOut(command, stores, done) }
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        let loop = self.loop
        let isTaken = self.tokenBook.inTurn {
            bound.value.carryOut(command, stores) { reply in
                loop.execute { bound.value.tokenBook.turnIsOver() }
                done(reply)
            }
        }
        if !isTaken { done(.tooBusy) }
    }

    /// Ten thousand tokens take a tenth of a second to write down: no request waits for that.
    private static func list(_ tokens: [Token], _ done: @escaping @Sendable (AccessReply) -> Void) {
        let now = WallTime.milliseconds() / 1_000
        let writer = NIOThreadPool(numberOfThreads: 1)
        writer.start()
        writer.submit { _ in
            done(AccessDesk.list(tokens, now: now))
            writer.shutdownGracefully { _ in }
        }
    }

    /// As often a change is decided while others change the same tokens.
    private static let attempts = 8

    private func carryOut(
        _ command: AccessCommand, _ stores: FrontStores, attempt: Int = 1,
        _ done: @escaping @Sendable (AccessReply) -> Void
    ) {
        let now = WallTime.milliseconds() / 1_000
        let tokens = self.tokenBook.tokens
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        let loop = self.loop
        let means = AccessDesk.Means(
            write: { token, answer in self.tokenBook.put(token, answer) },
            revoke: { token, answer in self.tokenBook.revoke(token, at: now, answer) },
            revokesAtOnce: true,
            decideAgain: {
                loop.execute {
                    guard attempt < Self.attempts else { return done(.tooBusy) }
                    bound.value.tokenBook.read {
                        bound.value.carryOut(command, stores, attempt: attempt + 1, done)
                    }
                }
            })
        self.audit.flush()
        AccessDesk(key: stores.key, rule: self.tokenRule.rawValue).decide(command, among: tokens, now: now)
            .carryOut(in: stores.store, tokens: tokens, day: now / 86_400, by: means, done)
    }
}

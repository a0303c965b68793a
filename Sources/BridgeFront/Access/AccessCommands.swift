import BridgeAccess
import BridgeConfiguration
package import NIOCore

extension FrontWorker {
    /// Does what an administrator asks about tokens and the audit: an ``AccessCommand`` in, an ``AccessReply`` out. Called on
    /// the worker's loop, and answers there.
    package func access(_ payload: ByteBuffer, _ done: @escaping (ByteBuffer) -> Void) {
        let state = self.state.value
        let bound = NIOLoopBound(done, eventLoop: state.loop)
        let loop = state.loop
        state.access(payload) { reply in
            loop.execute { bound.value(Self.encoded(reply)) }
        }
    }

    private static func encoded(_ reply: AccessReply) -> ByteBuffer {
        (try? WorkerConfigurationCoding.encode(reply)) ?? ByteBuffer(string: "{}")
    }
}

extension FrontState {
    fileprivate func access(_ payload: ByteBuffer, _ done: @escaping @Sendable (AccessReply) -> Void) {
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
        let now = WallTime.milliseconds() / 1_000
        let tokens = self.tokenBook.tokens
        let decision = AccessDesk(key: stores.key, rule: self.tokenRule.rawValue).decide(
            command, among: tokens, now: now)
        self.audit.flush()
        decision.carryOut(
            in: stores.store, names: Dictionary(tokens.map { ($0.id, $0.name) }) { first, _ in first },
            day: now / 86_400, write: { token, answer in self.tokenBook.put(token, answer) }, done)
    }
}

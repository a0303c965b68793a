import BridgeAccess
import BridgeCore
import BridgeLink
import Logging
import NIOCore

/// Tells the session worker of tokens that are over for good, so that nothing goes on in their names there: no call whose
/// client has left, no task. One after the other; and again where nobody has heard it. Confined to the event loop.
///
/// A token that expires is none of them: what was asked while it was good is done.
final class TokenEnds {
    /// Asks the session worker.
    typealias Tell = (SessionRequest, @escaping (Answer) -> Void) -> Void

    private let tell: Tell
    private let loop: any EventLoop
    private let logger: Logger
    /// Those that were not revoked when the tokens were last looked at. Nil before the first time: what is over then is told
    /// once more, as nobody may have been there to tell it.
    private var standing: Set<TokenID>?
    /// The session worker has not heard of these. No more than there were tokens.
    private var untold = CircularBuffer<TokenID>()
    private var isTelling = false
    private var timer: Scheduled<Void>?
    private var isClosed = false
    private static let pause = TimeAmount.seconds(1)

    init(loop: any EventLoop, logger: Logger, tell: @escaping Tell) {
        self.loop = loop
        self.logger = logger
        self.tell = tell
    }

    /// Looks which are over that were not before: revoked, or there no longer.
    func look(at tokens: TokenTable) {
        let standing = Set(tokens.tokens.lazy.filter { $0.revoked == nil }.map(\.id))
        let before = self.standing ?? Set(tokens.tokens.map(\.id))
        self.untold.append(contentsOf: before.subtracting(standing))
        self.standing = standing
        self.tellNext()
    }

    func close() {
        self.isClosed = true
        self.timer?.cancel()
        for token in self.untold {
            self.logger.warning(
                "The session worker has not heard that a token is over", metadata: ["mcp.token": "\(token)"])
        }
    }

    private func tellNext() {
        guard !self.isTelling, !self.isClosed, let token = self.untold.first else { return }
        self.isTelling = true
        let request = SessionRequest(.over, requestID: "", principal: token.principal)
        self.tell(request) { [weak self] in self?.told($0) }
    }

    private func told(_ answer: Answer) {
        guard !self.isClosed else { return }
        if case .ended = answer {
            self.untold.removeFirst()
            self.isTelling = false
            return self.tellNext()
        }
        self.timer = self.loop.assumeIsolated().scheduleTask(in: Self.pause) { [weak self] in
            self?.isTelling = false
            self?.tellNext()
        }
    }
}

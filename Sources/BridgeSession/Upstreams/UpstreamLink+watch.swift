import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore

// What the upstream's worker tells by itself.

extension UpstreamLink: ExchangeDelegate {
    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {
        guard let payload, let news = UpstreamNews(header) else { return }
        self.heard(news, JSONText(trusting: payload))
    }

    /// With a new link a new watch begins. Where only the watch is over, as after a catalogue too large to be sent, it is
    /// begun again.
    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) { self.watchAgain(exchange) }
    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        if case .linkLost = failure { self.watch = nil } else { self.watchAgain(exchange) }
    }

    private func watchAgain(_ over: Exchange) {
        guard self.watch === over else { return }
        self.watch = nil
        self.loop.assumeIsolated().scheduleTask(in: .seconds(5)) {
            guard self.watch == nil, !self.isClosed, self.dialer.isConnected else { return }
            self.watch = self.open(header: Self.watchRequest, payload: nil, delegate: self)
        }
    }
}

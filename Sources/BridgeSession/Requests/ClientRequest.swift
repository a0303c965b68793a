import BridgeCore
import BridgeLink
import NIOCore

/// One HTTP request, as the front passes it on.
struct ClientRequest {
    let exchange: Exchange
    let header: SessionRequest
    let body: ByteBuffer?
    /// What the body is counted by, for as long as any part of it is kept.
    let hold: PayloadHold?
    let now: NIODeadline

    /// `nil` when it asks for nothing that is known.
    init?(_ exchange: Exchange, now: NIODeadline) {
        guard let header = SessionRequest(exchange.header) else { return nil }
        self.exchange = exchange
        self.header = header
        self.now = now
        (self.body, self.hold) = exchange.takePayload()
    }

    /// Answers it as a whole.
    func refuse(_ fault: ToldFault, id: ByteBuffer? = nil) {
        self.exchange.end(header: SessionEnd(fault.fault.status).text(capacity: 32), payload: fault.reply(to: id))
    }
}

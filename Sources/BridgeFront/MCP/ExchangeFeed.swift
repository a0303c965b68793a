import BridgeCore
import BridgeLink
import NIOCore

/// What happens to one exchange, one event after the other, for an asynchronous function that runs on the event loop.
///
/// Confined to the loop. At most a window's worth of messages waits in it.
final class ExchangeFeed: ExchangeDelegate, ConnectionObserver {
    enum Event: Sendable {
        case message(JSONText, ByteBuffer?)
        case ended(JSONText, ByteBuffer?)
        case failed(ExchangeFailure)
        /// The HTTP client has gone, and the exchange is let go. Nothing comes after it.
        case clientGone
        /// The service is stopping. Comes once, and only where it was asked for.
        case draining
        /// Nothing happened for as long as was asked.
        case quiet

        /// What it holds in memory.
        var octets: Int {
            switch self {
            case .message(_, let payload?), .ended(_, let payload?): payload.readableBytes
            case .message, .ended, .failed, .clientGone, .draining, .quiet: 0
            }
        }
    }

    private let loop: any EventLoop
    private let payloads: PayloadAccount
    private let wantsDraining: Bool
    /// Whether the exchange outlives its client: what was asked for is then done all the same.
    private let outlivesClient: Bool
    private var exchange: Exchange?
    /// The opening payload of an exchange that was lost before any of it had left.
    private(set) var unsent: (bytes: ByteBuffer?, hold: PayloadHold?) = (nil, nil)
    private var events = CircularBuffer<Event>()
    private var waiting: CheckedContinuation<Event, Never>?
    private var timer: Scheduled<Void>?
    private var isGone = false

    /// - Parameter payloads: of the connection that waits for what comes.
    init(
        loop: any EventLoop, payloads: PayloadAccount, wantsDraining: Bool = false, outlivesClient: Bool = false
    ) {
        self.outlivesClient = outlivesClient
        self.loop = loop
        self.payloads = payloads
        self.wantsDraining = wantsDraining
    }

    /// The exchange that feeds this, opened with this as its delegate. The peer is held back until what it sends has been
    /// consumed.
    func attach(_ exchange: Exchange) {
        exchange.automaticCredit = false
        self.exchange = exchange
    }

    /// The next event; ``Event/quiet`` when there is none for that long.
    func next(within time: TimeAmount? = nil) async -> Event {
        if let event = self.nextNow() { return event }
        if self.isGone { return .clientGone }
        return await withCheckedContinuation { continuation in
            self.waiting = continuation
            if let time {
                self.timer = self.loop.assumeIsolated().scheduleTask(in: time) { [weak self] in self?.resume(.quiet) }
            }
        }
    }

    /// The next event that is there already.
    func nextNow() -> Event? {
        guard let event = self.events.popFirst() else { return nil }
        self.payloads.releaseAnswer(event.octets)
        return event
    }

    /// A message has been written to the client.
    func consumed(octets: Int) { self.exchange?.acknowledge(octets: octets) }

    func cancel(reason: String) {
        self.exchange?.cancel(reason: reason)
        self.exchange = nil
    }

    private func happened(_ event: Event) {
        if self.waiting != nil { return self.resume(event) }
        self.events.append(event)
        self.payloads.holdAnswer(event.octets)
    }

    private func resume(_ event: Event) {
        self.timer?.cancel()
        self.timer = nil
        let waiting = self.waiting
        self.waiting = nil
        waiting?.resume(returning: event)
    }

    // MARK: ExchangeDelegate

    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {
        self.happened(.message(header, payload))
    }

    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {
        self.exchange = nil
        self.happened(.ended(header, payload))
    }

    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        self.exchange = nil
        if failure == .linkLost(sent: false) { self.unsent = exchange.takePayload() }
        self.happened(.failed(failure))
    }

    // MARK: ConnectionObserver

    func clientGone() {
        guard !self.isGone else { return }
        self.isGone = true
        for event in self.events { self.payloads.releaseAnswer(event.octets) }
        self.events.removeAll()
        if self.outlivesClient {
            // "Disconnection SHOULD NOT be interpreted as the client cancelling its request" (basic/transports).
            self.exchange?.end(header: .emptyObject)
            self.exchange = nil
        } else {
            self.cancel(reason: "client gone")
        }
        if self.waiting != nil { self.resume(.clientGone) }
    }

    func connectionDrains() {
        if self.wantsDraining, !self.isGone { self.happened(.draining) }
    }
}

import BridgeCore
import BridgeLink
import NIOCore

/// Waits, for an asynchronous function that runs on the event loop, for the one answer of an exchange. Messages before it
/// are passed over. Confined to the loop.
final class ExchangeWait: ExchangeDelegate, ConnectionObserver {
    enum Outcome: Sendable {
        case ended(JSONText, ByteBuffer?)
        case failed(ExchangeFailure)
        /// The HTTP client has gone, and the exchange was let go.
        case clientGone
        /// There was no answer for as long as was asked. The exchange goes on.
        case quiet
    }

    private let loop: any EventLoop
    private var exchange: Exchange?
    private var outcome: Outcome?
    private var waiting: CheckedContinuation<Outcome, Never>?
    private var timer: Scheduled<Void>?

    init(loop: any EventLoop) { self.loop = loop }

    /// The exchange that was opened with this as its delegate.
    func attach(_ exchange: Exchange) { self.exchange = exchange }

    func next(within time: TimeAmount?) async -> Outcome {
        if let outcome = self.outcome { return outcome }
        return await withCheckedContinuation { continuation in
            self.waiting = continuation
            if let time {
                self.timer = self.loop.assumeIsolated().scheduleTask(in: time) { [weak self] in self?.resume(.quiet) }
            }
        }
    }

    func cancel(reason: String) {
        self.exchange?.cancel(reason: reason)
        self.exchange = nil
    }

    private func happened(_ outcome: Outcome) {
        guard self.outcome == nil else { return }
        self.outcome = outcome
        self.exchange = nil
        self.resume(outcome)
    }

    private func resume(_ outcome: Outcome) {
        self.timer?.cancel()
        self.timer = nil
        let waiting = self.waiting
        self.waiting = nil
        waiting?.resume(returning: outcome)
    }

    // MARK: What happens

    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {}

    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {
        self.happened(.ended(header, payload))
    }

    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) { self.happened(.failed(failure)) }

    func clientGone() {
        self.cancel(reason: "client gone")
        self.happened(.clientGone)
    }

    func connectionDrains() {}
}

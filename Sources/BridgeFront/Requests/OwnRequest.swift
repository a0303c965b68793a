import BridgeLink
import NIOCore

/// A request that the front answers on its own path, on the event loop and without a task.
///
/// The connection calls ``begin()``, ``take(_:)`` for each piece of the body, ``complete()`` at its end, and ``settle()`` when
/// all that came in one read has been looked at.
protocol OwnRequest: ConnectionObserver {
    var state: FrontState { get }
    var connection: ClientConnection { get }
    var verdict: HeadVerdict { get }
    /// Of its own body, as its head says; the verdict may be that on another head.
    var contentLength: Int? { get }
    var collector: BodyCollector { get set }
    /// In whose name its body is counted.
    var payer: String { get }
    /// The ticket of a wish for room.
    var ticket: UInt64? { get set }
    /// Why it is not served. Told when all has been looked at that came with the head.
    var refusal: Refusal? { get set }
    /// Whether it counts as one that is under way.
    var isCounted: Bool { get set }
    /// With the session worker.
    var exchange: Exchange? { get set }

    func begin()
    func take(_ part: ByteBuffer)
    func complete()
    func settle()
    /// The token that was shown is good no longer.
    func tokenIsOver()
    /// What a refusal says that the connection makes in its place.
    func body(of refusal: Refusal) -> ByteBuffer
}

extension OwnRequest {
    /// The token that was shown, if any.
    var token: TokenHolder? { self.verdict.token }
    /// What it was let in by, where that was a token.
    var secret: String? { self.verdict.fields.secret }

    // MARK: The body

    /// Takes a piece of the body.
    ///
    /// - Parameter tooLong: what is told of one that is longer than is accepted.
    func collect(_ part: ByteBuffer, orElse tooLong: @autoclosure () -> Refusal) {
        switch self.collector.take(part) {
        case .taken: break
        case .tooLong: self.refusal = tooLong()
        case .needsRoom(let octets): self.findRoom(octets)
        }
    }

    private func findRoom(_ octets: Int) {
        var isWaiting = false
        self.connection.holdRequest(true)
        self.ticket = self.state.bodies.ask(caller: self.payer, octets: octets) { hold in
            self.ticket = nil
            if let hold {
                self.collector.grant(hold)
            } else {
                self.refusal = .overloadedBody(limit: self.state.bodies.limit)
            }
            self.connection.holdRequest(false)
            if isWaiting, self.refusal != nil { self.settle() }
        }
        isWaiting = true
    }

    /// There is no use for its body any more.
    func withdrawWish() {
        if let ticket { self.state.bodies.withdraw(ticket) }
        self.ticket = nil
    }

    /// It is refused, and perhaps without its body having been read.
    func abandonBody() {
        self.connection.abandonBody(
            endsConnection: self.verdict.fields.endsConnection(refusedWith: self.contentLength))
    }

    // MARK: The end

    func beginCounting() {
        self.isCounted = true
        self.state.metrics.requestsInFlight += 1
    }

    /// The status of the answer is known: it counts as answered.
    func count(_ status: Int) {
        self.uncount()
        self.state.metrics.count(self.verdict.route, status)
    }

    func uncount() {
        guard self.isCounted else { return }
        self.isCounted = false
        self.state.metrics.requestsInFlight -= 1
    }

    func cancel(_ reason: String) {
        let exchange = self.exchange
        self.exchange = nil
        exchange?.cancel(reason: reason)
    }
}

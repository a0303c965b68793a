package import BridgeCore
import DequeModule
package import NIOCore

/// One link between two processes: many exchanges at once over one Unix socket, and up to eight more sockets for payloads
/// above ``Frame/bulkThreshold``.
///
/// Symmetrical: both ends may open exchanges. Confined to its event loop.
package final class LinkConnection {
    /// The most exchanges that one link carries at once; one more fails with ``ExchangeFailure/overloaded``.
    package static let maximumExchanges = 8_192
    /// The most bulk connections of one link.
    static let maximumBulkConnections = 8

    /// The peer opened an exchange. Set ``Exchange/delegate`` before returning, or end it.
    package var onOpen: ((Exchange) -> Void)?
    /// The connection is gone. Every exchange has failed before this is called.
    package var onClose: (() -> Void)?

    /// Asked before an exchange with a large payload is taken; without one all are.
    package var admission: LinkAdmission?
    /// Counts the messages and ends that wait to leave on this link.
    package var meter: AnswerMeter?

    private let channel: any Channel
    private let writer: FrameWriter
    let firstNumber: UInt32
    private var nextNumber: UInt32
    var exchanges: [UInt32: Exchange] = [:]
    /// Exchanges that cannot start yet.
    var opening: [UInt32: OpeningExchange] = [:]
    private var closed = false
    private var onSettled: [() -> Void] = []
    let bulk: BulkLane

    /// - Parameter dialled: whether this side dialled; the two sides number their exchanges odd and even.
    init(channel: any Channel, dialled: Bool, bulk: BulkLane) {
        self.channel = channel
        self.writer = FrameWriter(channel: channel)
        self.firstNumber = dialled ? 1 : 2
        self.nextNumber = self.firstNumber
        self.bulk = bulk
        bulk.connection = self
    }

    package var exchangeCount: Int { self.exchanges.count }

    /// Opens an exchange. Never fails here: the delegate hears of it.
    package func open(
        header: JSONText, payload: ByteBuffer? = nil, hold: PayloadHold? = nil, delegate: any ExchangeDelegate
    ) -> Exchange {
        let exchange = Exchange(header: header, payload: payload, hold: hold)
        exchange.delegate = delegate
        self.attach(exchange)
        return exchange
    }

    /// Whether anything more is read of what the peer sends, on this connection and the bulk ones.
    package func setReading(_ isReading: Bool) {
        self.channel.setReading(isReading)
        self.bulk.setReading(isReading)
    }

    /// Closes the connection; open exchanges fail.
    package func close() {
        self.channel.close(promise: nil)
        self.closeNow()
    }

    /// From now on large payloads go on this connection as well: behind a listener that is closed the peer can dial no
    /// other, and what goes one way leaves in its order, before the end.
    package func keepToOneConnection() { self.bulk.isAvailable = false }

    /// Calls back once all that was written so far has left this process, or the connection is gone, or the limit is over:
    /// a peer need not read.
    package func whenWritten(within limit: TimeAmount, _ body: @escaping () -> Void) {
        guard !self.closed else { return body() }
        var isOver = false
        let once = {
            guard !isOver else { return }
            isOver = true
            body()
        }
        let timer = self.channel.eventLoop.assumeIsolated().scheduleTask(in: limit, once)
        self.whenSettled {
            self.bulk.whenEmpty {
                self.writer.whenWritten {
                    timer.cancel()
                    once()
                }
            }
        }
    }

    /// Calls back once no end of an exchange waits for window behind its messages.
    private func whenSettled(_ body: @escaping () -> Void) {
        if self.isSettled { body() } else { self.onSettled.append(body) }
    }

    private var isSettled: Bool { !self.exchanges.values.contains { $0.isOver } }

    private func settled() {
        let bodies = self.onSettled
        self.onSettled = []
        for body in bodies { body() }
    }

    // MARK: For this room

    func attach(_ exchange: Exchange) {
        guard !exchange.isOver else { return }
        guard !self.closed else { return self.later(exchange, .linkLost(sent: false)) }
        guard self.exchanges.count < Self.maximumExchanges else { return self.later(exchange, .overloaded) }
        guard Exchange.fits(exchange.payload) else {
            return self.later(exchange, .cancelled(reason: ExchangeFailure.tooLarge))
        }
        while self.exchanges[self.nextNumber] != nil { self.advance() }
        let number = self.nextNumber
        self.advance()
        self.exchanges[number] = exchange
        exchange.attach(to: self, number: number, opening: true)
    }

    private func advance() {
        let (next, overflow) = self.nextNumber.addingReportingOverflow(2)
        self.nextNumber = overflow ? self.firstNumber : next
    }

    /// Failure is told in a later turn, so that a caller of `open` has its exchange in hand by then.
    private func later(_ exchange: Exchange, _ failure: ExchangeFailure) {
        self.channel.eventLoop.assumeIsolated().execute { exchange.fail(failure) }
    }

    func forget(_ exchange: Exchange) {
        if self.exchanges[exchange.number] === exchange { self.exchanges[exchange.number] = nil }
        if !self.onSettled.isEmpty, self.isSettled { self.settled() }
    }

    /// - Returns: the number under which the payload travels on a bulk connection, if it does.
    @discardableResult
    func write(_ frame: Frame, hold: PayloadHold? = nil) -> UInt32? {
        guard !self.closed else { return nil }
        guard let payload = frame.payload, payload.readableBytes > Frame.bulkThreshold, self.bulk.isAvailable else {
            self.writer.write(frame, hold: hold)
            return nil
        }
        let (number, isAhead) = self.bulk.send(payload, hold: hold, asks: frame.kind == .open)
        var announcement = frame
        announcement.payload = nil
        announcement.bulk = number
        announcement.messages = isAhead ? 1 : 0
        announcement.octets = payload.readableBytes
        self.writer.write(announcement)
        return number
    }

    func receive(_ frame: Frame) {
        if !self.opening.isEmpty, let opening = self.opening[frame.exchange] { return self.hold(frame, for: opening) }
        switch frame.kind {
        case .hello:
            break
        case .want:
            self.bulk.peerWantsConnection()
        case .grant:
            if let number = frame.bulk { self.bulk.granted(number) }
        case .bulk:
            break  // only on bulk connections
        case .open:
            self.opened(frame)
        case .message, .end:
            self.continued(frame)
        case .cancel, .credit:
            self.exchanges[frame.exchange]?.receive(frame)
        }
    }

    private func continued(_ frame: Frame) {
        guard let exchange = self.exchanges[frame.exchange] else {
            if let number = frame.bulk { self.bulk.discard(number) }
            return
        }
        guard let number = frame.bulk else { return exchange.receive(frame) }
        if let payload = self.bulk.take(number) {
            var whole = frame
            whole.bulk = nil
            whole.payload = payload
            return exchange.receive(whole)
        }
        exchange.block(on: frame)
        self.bulk.await(number) { exchange.unblock(bulk: number, payload: $0) }
    }

    /// The main connection, or one of the bulk connections, is gone.
    func closeNow() {
        guard !self.closed else { return }
        self.closed = true
        self.bulk.close()
        let lost = self.exchanges.values
        self.exchanges = [:]
        for ticket in self.opening.values.compactMap(\.ticket) { self.admission?.gate.withdraw(ticket) }
        self.opening = [:]
        for exchange in lost { exchange.fail(.linkLost(sent: true)) }
        self.settled()
        let onClose = self.onClose
        self.onClose = nil
        self.onOpen = nil
        onClose?()
    }
}

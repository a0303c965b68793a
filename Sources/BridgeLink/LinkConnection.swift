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
    /// How long is waited for what a peer has sent that hangs up.
    private static let lastWords = TimeAmount.seconds(5)

    /// The peer opened an exchange. Set ``Exchange/delegate`` before returning, or end it.
    package var onOpen: ((Exchange) -> Void)?
    /// The connection is gone. Every exchange has failed before this is called.
    package var onClose: (() -> Void)?

    /// Asked before an exchange with a large payload is taken; without one all are.
    package var admission: LinkAdmission?
    /// Counts the messages and ends that wait to leave on this link.
    package var meter: AnswerMeter?

    private enum State {
        case open
        /// One of its connections is gone. Nothing is sent any more; what the peer had sent is still read on the others.
        case losing
        case closed
    }

    private let channel: any Channel
    private let writer: FrameWriter
    let side: ExchangeNumber.Side
    var exchanges: ExchangeTable<Exchange>
    /// Exchanges whose end has come from the peer and waits for a payload. The peer has forgotten them, and may use their
    /// slots for others.
    var ending: [UInt64: Exchange] = [:]
    /// Exchanges that cannot start yet.
    var opening: [UInt64: OpeningExchange] = [:]
    private var state = State.open
    private var isMainGone = false
    private var onSettled: [() -> Void] = []
    let bulk: BulkLane

    /// - Parameter dialled: whether this side dialled.
    init(channel: any Channel, dialled: Bool, bulk: BulkLane) {
        self.channel = channel
        self.writer = FrameWriter(channel: channel)
        self.side = dialled ? .dialler : .listener
        self.exchanges = ExchangeTable(side: self.side)
        self.bulk = bulk
        bulk.connection = self
    }

    deinit { self.bulk.connection = nil }

    package var exchangeCount: Int { self.exchanges.count + self.ending.count }

    /// The exchanges that something waits for, because the peer has not taken what went before; also those that this side has
    /// ended.
    package var queued: [Exchange] { self.exchanges.elements.filter { $0.queue != nil } }

    /// Whether exchanges can be opened. It cannot become so again.
    package var isOpen: Bool { self.state == .open }

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
        guard self.state != .losing else { return }
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
        guard self.state != .closed else { return body() }
        let once = self.once(within: limit, body)
        self.whenSettled { self.bulk.whenEmpty { self.writer.whenWritten(once) } }
    }

    /// Has the peer open no more exchanges on this link, and calls back once all that it had opened have come. Whoever
    /// closes a link without that leaves some unread, perhaps, of which the peer has to say that they may have run. Calls
    /// back also when the link is lost, or the limit is over: a peer need not answer.
    package func takeLeave(within limit: TimeAmount, _ body: @escaping () -> Void) {
        let once = self.once(within: limit, body)
        self.ask(header: Self.leave) { _ in once() }
    }

    /// The header of the exchange by which a side takes leave.
    static let leave = JSONText(literal: #"{"op":"leave"}"#)

    /// - Returns: does something when it is first called, or when the time is over.
    private func once(within limit: TimeAmount, _ body: @escaping () -> Void) -> () -> Void {
        var timer: Scheduled<Void>?
        var isOver = false
        let once = {
            guard !isOver else { return }
            isOver = true
            timer?.cancel()
            body()
        }
        timer = self.channel.eventLoop.assumeIsolated().scheduleTask(in: limit, once)
        return once
    }

    /// Calls back once no exchange of the peer's is still coming, and no end waits for window behind its messages.
    private func whenSettled(_ body: @escaping () -> Void) {
        if self.isSettled { body() } else { self.onSettled.append(body) }
    }

    private var isSettled: Bool { self.opening.isEmpty && !self.exchanges.elements.contains(where: \.isOver) }

    private func settled() {
        let bodies = self.onSettled
        self.onSettled = []
        for body in bodies { body() }
    }

    // MARK: For this room

    func attach(_ exchange: Exchange) {
        guard !exchange.isOver else { return }
        guard self.isOpen else { return self.later(exchange, .linkLost(sent: false)) }
        guard Exchange.fits(exchange.payload) else {
            return self.later(exchange, .cancelled(reason: ExchangeFailure.tooLarge))
        }
        guard self.exchangeCount < Self.maximumExchanges, let number = self.exchanges.add(exchange) else {
            return self.later(exchange, .overloaded)
        }
        exchange.attach(to: self, number: number, opening: true)
    }

    /// Failure is told in a later turn, so that a caller of `open` has its exchange in hand by then.
    private func later(_ exchange: Exchange, _ failure: ExchangeFailure) {
        self.channel.eventLoop.assumeIsolated().execute { exchange.fail(failure) }
    }

    func forget(_ exchange: Exchange) {
        if self.exchanges[exchange.number] === exchange {
            self.exchanges.remove(exchange.number)
        } else if self.ending[exchange.number.rawValue] === exchange {
            self.ending[exchange.number.rawValue] = nil
        }
        exchange.detach()
        self.settleIfDone()
    }

    /// Tells who waits for that, once nothing is under way any more.
    func settleIfDone() { if !self.onSettled.isEmpty, self.isSettled { self.settled() } }

    /// - Returns: the number under which the payload travels on a bulk connection, if it does.
    @discardableResult
    func write(_ frame: Frame, hold: PayloadHold? = nil) -> UInt32? {
        guard self.isOpen else { return nil }
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

    /// Writes a frame with a small payload, which `body` appends.
    func write(_ frame: Frame, octets: Int, writing body: (inout ByteBuffer) -> Void) {
        guard self.isOpen else { return }
        self.writer.write(frame, octets: octets, writing: body)
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
            guard let exchange = self.exchange(frame) else {
                if let number = frame.bulk { self.bulk.discard(number) }
                return
            }
            self.continued(exchange, frame)
        case .cancel, .credit:
            self.exchange(frame)?.receive(frame)
        }
    }

    private func exchange(_ frame: Frame) -> Exchange? { self.exchanges[ExchangeNumber(rawValue: frame.exchange)] }

    /// A message or the end of an exchange arrived.
    func continued(_ exchange: Exchange, _ frame: Frame) {
        if let number = frame.bulk {
            if let payload = self.bulk.take(number) {
                var whole = frame
                whole.bulk = nil
                whole.payload = payload
                exchange.receive(whole)
            } else {
                exchange.block(on: frame)
                self.bulk.await(number) { exchange.unblock(bulk: number, payload: $0) }
            }
        } else {
            exchange.receive(frame)
        }
        if frame.kind == .end, exchange.isBlocked, self.exchanges.remove(exchange.number) != nil {
            self.ending[exchange.number.rawValue] = exchange
        }
    }

    // MARK: The end

    /// The main connection is gone.
    func lostMain() {
        self.isMainGone = true
        self.lost()
    }

    /// The main connection, or one of the bulk connections, is gone, and so is the link.
    ///
    /// What the peer sent before it hung up may still be on its way on the other connections, an answer perhaps: they are
    /// read to their end first. A peer that goes on is told by half-closed connections that it is to hang up.
    func lost() {
        guard self.state != .closed else { return }
        if self.state == .open {
            self.setReading(true)
            self.state = .losing
            self.bulk.stopSending()
            self.channel.stopSending()
            self.channel.eventLoop.assumeIsolated().scheduleTask(in: Self.lastWords) { [weak self] in self?.close() }
        }
        if self.isMainGone, self.bulk.isGone { self.closeNow() }
    }

    /// Fails what is left.
    func closeNow() {
        guard self.state != .closed else { return }
        self.state = .closed
        let unsent = self.bulk.close()
        let lost = self.exchanges.removeAll() + self.ending.values
        self.ending = [:]
        for ticket in self.opening.values.compactMap(\.ticket) { self.admission?.gate.withdraw(ticket) }
        self.opening = [:]
        for exchange in lost { exchange.lose(unsent: unsent) }
        self.settled()
        let onClose = self.onClose
        self.onClose = nil
        self.onOpen = nil
        onClose?()
    }
}

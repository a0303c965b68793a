package import BridgeCore
import DequeModule
package import NIOCore

/// One conversation between two processes: an opening message, any number of further ones either way, one end.
///
/// Confined to the event loop of its link. It keeps its delegate alive until it is over.
package final class Exchange {
    /// Of the frame that opened it.
    package let header: JSONText
    /// Of the frame that opened it: on the side that opened it until it has been handed to the connection, on the other
    /// until it is taken.
    package private(set) var payload: ByteBuffer?
    private var hold: PayloadHold?

    package var delegate: (any ExchangeDelegate)?
    /// When false, the receiver calls ``acknowledge(octets:)`` for each message once it has been consumed; the peer is
    /// held back until then. Set it before the first message arrives.
    package var automaticCredit = true

    private(set) var number = ExchangeNumber(rawValue: 0)
    /// Let go of once the link has forgotten the exchange, which it does in any case.
    private var connection: LinkConnection?
    private var window = ExchangeWindow()
    private var consumed = ConsumedCredit()
    /// What waits for a connection or for window; nearly always nothing.
    private var outgoing: Deque<(frame: Frame, hold: PayloadHold?)> = []
    /// How many messages that had to wait have left.
    private var released = 0
    /// Of the opening payload, when it travels on a bulk connection.
    private var bulk: UInt32?
    private var over = false
    /// Frames that wait for a payload which comes on a bulk connection. The first is the one it belongs to.
    private var blocked: Deque<Frame> = []

    /// - Parameter hold: what the payload is counted by; let go of with it.
    init(header: JSONText, payload: ByteBuffer?, hold: PayloadHold? = nil) {
        self.header = header
        self.payload = payload
        self.hold = hold
    }

    /// The payload, which the exchange keeps no longer, and what it is counted by: whoever takes one takes both.
    package func takePayload() -> (bytes: ByteBuffer?, hold: PayloadHold?) {
        let taken = (self.payload, self.hold)
        self.payload = nil
        self.hold = nil
        return taken
    }

    /// Whether the exchange has ended, failed or been cancelled, by either side.
    package var isOver: Bool { self.over }

    /// Whether a message sent now would leave now. A sender that sees false stops reading what it would send.
    package var isWritable: Bool { !self.over && self.outgoing.isEmpty && self.window.isOpen }

    /// What waits because the peer has not taken what went before: how much, and how many have left that had to wait. Nil
    /// when nothing waits.
    package var queue: (octets: Int, released: Int)? {
        guard !self.outgoing.isEmpty, self.connection != nil else { return nil }
        return (self.outgoing.reduce(0) { $0 + ($1.frame.payload?.readableBytes ?? 0) }, self.released)
    }

    /// Sends a further message; queued while the window is used up. Ignored when the exchange is over.
    package func send(header: JSONText, payload: ByteBuffer? = nil) {
        guard !self.over else { return }
        guard Self.fits(payload) else {
            let delegate = self.delegate
            self.cancel(reason: ExchangeFailure.tooLarge)
            delegate?.exchangeFailed(self, .cancelled(reason: ExchangeFailure.tooLarge))
            return
        }
        self.put(Frame(.message, exchange: self.number.rawValue, header: header.bytes, payload: payload))
    }

    /// Sends the last message, after those still queued. The delegate hears nothing more.
    package func end(header: JSONText, payload: ByteBuffer? = nil) {
        guard !self.over else { return }
        guard Self.fits(payload) else { return self.cancel(reason: ExchangeFailure.tooLarge) }
        self.over = true
        self.delegate = nil
        self.put(Frame(.end, exchange: self.number.rawValue, header: header.bytes, payload: payload))
    }

    /// As ``end(header:payload:)``, with a payload that `body` appends to what leaves: a small one needs no buffer of its own.
    ///
    /// - Parameters:
    ///   - octets: its size at most; `body` is not called where that is too large to travel.
    ///   - body: appends one JSON value, takes nothing away, and does nothing else with the link.
    package func end(header: JSONText, octets: Int, writing body: (inout ByteBuffer) -> Void) {
        guard !self.over else { return }
        guard octets <= Frame.maximumPayload else { return self.cancel(reason: ExchangeFailure.tooLarge) }
        guard octets < FrameWriter.copyLimit, self.outgoing.isEmpty, let connection = self.connection else {
            var payload = ByteBufferAllocator().buffer(capacity: octets)
            body(&payload)
            return self.end(header: header, payload: payload)
        }
        self.over = true
        self.delegate = nil
        connection.write(
            Frame(.end, exchange: self.number.rawValue, header: header.bytes), octets: octets, writing: body)
        connection.forget(self)
    }

    /// Abandons the exchange at once, ahead of what is queued. The delegate hears nothing more.
    package func cancel(reason: String) {
        guard !self.over else { return }
        self.over = true
        self.delegate = nil
        self.outgoing.removeAll()
        _ = self.takePayload()
        if let connection = self.connection {
            let withdrawn = self.bulk.flatMap { connection.bulk.withdraw($0) ? $0 : nil }
            connection.write(.cancel(self.number, reason: reason, bulk: withdrawn))
            connection.forget(self)
        }
    }

    /// Gives up what waits for a peer that takes nothing of it, also when this side has ended the exchange already. The
    /// delegate is told as if the peer had cancelled.
    package func giveUp(reason: String) {
        guard self.over else {
            let delegate = self.delegate
            self.cancel(reason: reason)
            delegate?.exchangeFailed(self, .cancelled(reason: reason))
            return
        }
        guard let connection = self.connection else { return }
        self.outgoing.removeAll()
        connection.write(.cancel(self.number, reason: reason))
        connection.forget(self)
    }

    /// Tells the peer, sooner or later, that a message with a payload of this many bytes has been consumed.
    package func acknowledge(octets: Int) {
        guard !self.over, let credit = self.consumed.consume(octets) else { return }
        self.connection?.write(
            Frame(.credit, exchange: self.number.rawValue, messages: credit.messages, octets: credit.octets)
        )
    }
}

extension Frame {
    /// - Parameter bulk: of an opening payload that its sender takes back.
    static func cancel(_ number: ExchangeNumber, reason: String, bulk: UInt32? = nil) -> Frame {
        var header = HeaderWriter(capacity: 64)
        header.member("reason", reason)
        return Frame(.cancel, exchange: number.rawValue, bulk: bulk, header: header.finish().bytes)
    }
}

// MARK: - The link's side

extension Exchange {
    static func fits(_ payload: ByteBuffer?) -> Bool { (payload?.readableBytes ?? 0) <= Frame.maximumPayload }

    /// Binds the exchange to its connection. One that this side opens sends its opening frame and what was queued since.
    func attach(to connection: LinkConnection, number: ExchangeNumber, opening: Bool) {
        self.connection = connection
        self.number = number
        if opening {
            let (payload, hold) = self.takePayload()
            let frame = Frame(.open, exchange: number.rawValue, header: self.header.bytes, payload: payload)
            self.bulk = connection.write(frame, hold: hold)
            if !self.outgoing.isEmpty { self.flush() }
        }
    }

    /// The connection knows it no longer.
    func detach() { self.connection = nil }

    /// Sends a message or the end, or has it wait behind those that do.
    private func put(_ frame: Frame) {
        let octets = frame.payload?.readableBytes ?? 0
        guard let connection = self.connection else { return self.outgoing.append((frame, nil)) }
        let hold = connection.meter?.hold(octets)
        guard self.outgoing.isEmpty, frame.kind == .end || self.window.take(octets) else {
            return self.outgoing.append((frame, hold))
        }
        self.write(frame, hold, to: connection)
    }

    private func write(_ frame: Frame, _ hold: PayloadHold?, to connection: LinkConnection) {
        connection.write(frame, hold: hold)
        if frame.kind == .end { connection.forget(self) }
    }

    private func flush() {
        guard let connection = self.connection else { return }
        while let (frame, hold) = self.outgoing.first {
            guard frame.kind == .end || self.window.take(frame.payload?.readableBytes ?? 0) else { return }
            self.outgoing.removeFirst()
            self.released += 1
            // It may have been queued before there was a number.
            var numbered = frame
            numbered.exchange = self.number.rawValue
            self.write(numbered, hold, to: connection)
        }
    }

    /// A frame of this exchange arrived. Frames behind one whose payload is still on its way wait for it.
    func receive(_ frame: Frame) {
        if !self.blocked.isEmpty, frame.kind == .message || frame.kind == .end {
            self.blocked.append(frame)
            return
        }
        self.deliver(frame)
    }

    /// Whether something of the peer's waits for a payload.
    var isBlocked: Bool { !self.blocked.isEmpty }

    /// A frame arrived before its payload did.
    func block(on frame: Frame) { self.blocked.append(frame) }

    /// A payload that ``block(on:)`` waits for has arrived.
    func unblock(bulk: UInt32, payload: ByteBuffer) {
        guard let index = self.blocked.firstIndex(where: { $0.bulk == bulk }) else { return }
        self.blocked[index].bulk = nil
        self.blocked[index].payload = payload
        while let next = self.blocked.first, next.bulk == nil { self.deliver(self.blocked.removeFirst()) }
    }

    private func deliver(_ frame: Frame) {
        guard !self.over else { return self.deliverAfterEnd(frame) }
        switch frame.kind {
        case .message:
            self.delegate?.exchange(self, received: frame.headerText, payload: frame.payload)
            if self.automaticCredit { self.acknowledge(octets: frame.payload?.readableBytes ?? 0) }
        case .end:
            self.finish()?.exchangeEnded(self, header: frame.headerText, payload: frame.payload)
        case .cancel:
            self.fail(.cancelled(reason: frame.headerText.string("reason") ?? ""))
        case .credit:
            let wasWritable = self.isWritable
            self.window.give(messages: frame.messages, octets: frame.octets)
            self.flush()
            if !wasWritable, self.isWritable { self.delegate?.exchangeBecameWritable(self) }
        case .hello, .open, .bulk, .want, .grant:
            break
        }
    }

    /// This side has ended the exchange, and its last messages may still wait for window.
    private func deliverAfterEnd(_ frame: Frame) {
        switch frame.kind {
        case .credit:
            self.window.give(messages: frame.messages, octets: frame.octets)
            self.flush()
        case .end, .cancel:
            self.outgoing.removeAll()
            self.connection?.forget(self)
        case .message, .hello, .open, .bulk, .want, .grant:
            break
        }
    }

    /// Ends the exchange from the link's side. Safe to call when it is over already.
    func fail(_ failure: ExchangeFailure) { self.finish()?.exchangeFailed(self, failure) }

    /// The link is lost.
    ///
    /// - Parameter unsent: the pieces of which nothing had left.
    func lose(unsent: [UInt32: BulkLane.Piece]) {
        defer { self.detach() }
        guard let piece = self.bulk.flatMap({ unsent[$0] }) else { return self.fail(.linkLost(sent: true)) }
        self.payload = piece.payload
        self.hold = piece.hold
        self.fail(.linkLost(sent: false))
        _ = self.takePayload()
    }

    /// - Returns: who is to be told; nil where it is over already.
    private func finish() -> (any ExchangeDelegate)? {
        guard !self.over else { return nil }
        self.over = true
        self.outgoing.removeAll()
        self.blocked.removeAll()
        if let connection = self.connection {
            if let bulk = self.bulk { _ = connection.bulk.withdraw(bulk) }
            connection.forget(self)
        }
        defer { self.delegate = nil }
        return self.delegate
    }
}

extension Frame {
    /// The header, or an empty one.
    var headerText: JSONText { self.header.readableBytes > 0 ? JSONText(trusting: self.header) : .emptyObject }
}

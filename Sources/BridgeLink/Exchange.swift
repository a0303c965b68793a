package import BridgeCore
import DequeModule
package import NIOCore

/// Why an exchange ended without an `end`.
package enum ExchangeFailure: Equatable, Sendable {
    /// The peer abandoned it, and says why.
    case cancelled(reason: String)
    /// The connection to the peer was lost. `sent` is false only when it is certain that no byte of the opening frame had
    /// been handed to the kernel.
    case linkLost(sent: Bool)
    /// There were too many exchanges already; this one never left.
    case overloaded

    /// The reason of a ``cancelled(reason:)`` by which a peer refuses an exchange unseen: it has too many.
    package static let tooMany = "overloaded"
    /// The reason of a ``cancelled(reason:)`` by which a peer refuses an exchange unseen: it has no memory for its payload.
    package static let noMemory = "no memory"

    /// The reason of a ``cancelled(reason:)`` that both sides are told when one of them was given a payload beyond
    /// ``Frame/maximumPayload``: it would have cost them the connection.
    package static let tooLarge = "too large"
}

/// Receives what happens to one exchange, on the link's event loop.
///
/// Exactly one of ``exchangeEnded(_:header:payload:)`` and ``exchangeFailed(_:_:)`` is called, once, as the last call;
/// neither is called after this side itself has ended or cancelled the exchange.
package protocol ExchangeDelegate: AnyObject {
    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?)
    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?)
    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure)
    /// The window opened again after ``Exchange/isWritable`` was false.
    func exchangeBecameWritable(_ exchange: Exchange)
}

extension ExchangeDelegate {
    package func exchangeBecameWritable(_ exchange: Exchange) {}
}

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

    private(set) var number: UInt32 = 0
    private weak var connection: LinkConnection?
    private var window = ExchangeWindow()
    private var consumed = ConsumedCredit()
    private var outgoing: Deque<(frame: Frame, hold: PayloadHold?)> = []
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
        defer {
            self.payload = nil
            self.hold = nil
        }
        return (self.payload, self.hold)
    }

    /// Whether the exchange has ended, failed or been cancelled, by either side.
    package var isOver: Bool { self.over }

    /// Whether a message sent now would leave now. A sender that sees false stops reading what it would send.
    package var isWritable: Bool { !self.over && self.outgoing.isEmpty && self.window.isOpen }

    /// Sends a further message; queued while the window is used up. Ignored when the exchange is over.
    package func send(header: JSONText, payload: ByteBuffer? = nil) {
        guard !self.over else { return }
        guard Self.fits(payload) else {
            let delegate = self.delegate
            self.cancel(reason: ExchangeFailure.tooLarge)
            delegate?.exchangeFailed(self, .cancelled(reason: ExchangeFailure.tooLarge))
            return
        }
        self.enqueue(Frame(.message, header: header.bytes, payload: payload))
    }

    /// Sends the last message, after those still queued. The delegate hears nothing more.
    package func end(header: JSONText, payload: ByteBuffer? = nil) {
        guard !self.over else { return }
        guard Self.fits(payload) else { return self.cancel(reason: ExchangeFailure.tooLarge) }
        self.over = true
        self.delegate = nil
        self.enqueue(Frame(.end, header: header.bytes, payload: payload))
    }

    /// Abandons the exchange at once, ahead of what is queued. The delegate hears nothing more.
    package func cancel(reason: String) {
        guard !self.over else { return }
        self.over = true
        self.delegate = nil
        self.outgoing.removeAll()
        _ = self.takePayload()
        var header = JSONWriter()
        header.object { $0.member("reason", reason) }
        if let connection = self.connection {
            let withdrawn = self.bulk.flatMap { connection.bulk.withdraw($0) ? $0 : nil }
            connection.write(Frame(.cancel, exchange: self.number, bulk: withdrawn, header: header.buffer))
            connection.forget(self)
        }
    }

    /// Tells the peer, sooner or later, that a message with a payload of this many bytes has been consumed.
    package func acknowledge(octets: Int) {
        guard !self.over, let credit = self.consumed.consume(octets) else { return }
        self.connection?.write(
            Frame(.credit, exchange: self.number, messages: credit.messages, octets: credit.octets)
        )
    }
}

// MARK: - The link's side

extension Exchange {
    static func fits(_ payload: ByteBuffer?) -> Bool { (payload?.readableBytes ?? 0) <= Frame.maximumPayload }

    /// Binds the exchange to its connection. One that this side opens sends its opening frame and what was queued since.
    func attach(to connection: LinkConnection, number: UInt32, opening: Bool) {
        self.connection = connection
        self.number = number
        if opening {
            let (payload, hold) = self.takePayload()
            let frame = Frame(.open, exchange: number, header: self.header.bytes, payload: payload)
            self.bulk = connection.write(frame, hold: hold)
            self.flush()
        }
    }

    private func enqueue(_ frame: Frame) {
        self.outgoing.append((frame, frame.payload.flatMap { self.connection?.meter?.hold($0.readableBytes) }))
        self.flush()
    }

    private func flush() {
        guard let connection = self.connection else { return }
        while let (frame, hold) = self.outgoing.first {
            if frame.kind == .message {
                guard self.window.take(frame.payload?.readableBytes ?? 0) else { return }
            }
            self.outgoing.removeFirst()
            var numbered = frame
            numbered.exchange = self.number
            connection.write(numbered, hold: hold)
            if frame.kind == .end {
                connection.forget(self)
                return
            }
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
        let header = frame.header.readableBytes > 0 ? JSONText(trusting: frame.header) : .emptyObject
        switch frame.kind {
        case .message:
            self.delegate?.exchange(self, received: header, payload: frame.payload)
            if self.automaticCredit { self.acknowledge(octets: frame.payload?.readableBytes ?? 0) }
        case .end:
            self.finish { $0.exchangeEnded(self, header: header, payload: frame.payload) }
        case .cancel:
            self.fail(.cancelled(reason: header.string("reason") ?? ""))
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
    func fail(_ failure: ExchangeFailure) {
        self.finish { $0.exchangeFailed(self, failure) }
    }

    private func finish(_ tell: (any ExchangeDelegate) -> Void) {
        guard !self.over else { return }
        self.over = true
        self.outgoing.removeAll()
        self.blocked.removeAll()
        if let bulk = self.bulk { _ = self.connection?.bulk.withdraw(bulk) }
        self.connection?.forget(self)
        let delegate = self.delegate
        self.delegate = nil
        if let delegate { tell(delegate) }
    }
}

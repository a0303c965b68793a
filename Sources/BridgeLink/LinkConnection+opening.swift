package import BridgeCore
import DequeModule
import NIOCore

/// Who decides whether there is room for what a link's peer wants to send.
package struct LinkAdmission {
    package let gate: PayloadGate
    /// Who a payload is counted for, by the header it comes with.
    package let caller: (JSONText) -> String

    package init(gate: PayloadGate, caller: @escaping (JSONText) -> String) {
        self.gate = gate
        self.caller = caller
    }
}

/// An exchange that the peer has opened and that cannot start yet: its payload is still on its way, or there is no room.
final class OpeningExchange {
    var frame: Frame
    let number: UInt32
    /// Whether the peer sends the payload without having been asked for it.
    let isAhead: Bool
    var isGranted = false
    var hold: PayloadHold?
    /// Of the wish for room.
    var ticket: UInt64?
    /// What came for it meanwhile.
    var held: Deque<Frame> = []

    init(_ frame: Frame, number: UInt32) {
        self.frame = frame
        self.number = number
        self.isAhead = frame.messages > 0
    }
}

/// Exchanges that the peer opens.
extension LinkConnection {
    func opened(_ frame: Frame) {
        guard self.exchanges.admit(ExchangeNumber(rawValue: frame.exchange)) else { return self.close() }
        // A peer that is gone waits for nothing.
        guard self.isOpen else { return }
        guard self.exchangeCount + self.opening.count < Self.maximumExchanges, self.onOpen != nil else {
            if let number = frame.bulk { self.refusePayload(number, isAhead: frame.messages > 0) }
            return self.refuse(frame.exchange, reason: ExchangeFailure.tooMany)
        }
        if let number = frame.bulk { return self.await(OpeningExchange(frame, number: number)) }
        let octets = frame.payload?.readableBytes ?? 0
        guard let admission = self.admission, octets >= PayloadShares<String>.smallest else {
            return self.start(frame, hold: nil)
        }
        let (fits, hold) = admission.gate.take(caller: admission.caller(frame.headerText), octets: octets)
        if fits { self.start(frame, hold: hold) } else { self.refuse(frame.exchange, reason: ExchangeFailure.noMemory) }
    }

    /// A header as it is kept for as long as its exchange lasts. In a small copy, where it would keep a large read with it:
    /// its own payload, perhaps.
    private static func keptHeader(_ frame: Frame) -> JSONText {
        frame.header.readableBytes > 0 ? JSONText(trusting: frame.header.toKeep) : .emptyObject
    }

    private func refuse(_ exchange: UInt64, reason: String) {
        self.write(.cancel(ExchangeNumber(rawValue: exchange), reason: reason))
    }

    /// What was sent ahead comes all the same, and is thrown away; the sender may send as much again.
    private func refusePayload(_ number: UInt32, isAhead: Bool) {
        guard isAhead else { return self.bulk.forget(number) }
        self.bulk.discard(number)
        self.write(Frame(.grant, bulk: number))
    }

    private func await(_ opening: OpeningExchange) {
        self.opening[opening.frame.exchange] = opening
        opening.frame.bulk = nil
        if let payload = self.bulk.take(opening.number) {
            opening.frame.payload = payload
        } else {
            self.bulk.await(opening.number) { [weak self] payload in
                opening.frame.payload = payload
                self?.startIfWhole(opening)
            }
        }
        guard let admission = self.admission else { return self.grant(opening, hold: nil) }
        opening.ticket = admission.gate.ask(
            caller: admission.caller(opening.frame.headerText), octets: opening.frame.octets
        ) { [weak self] hold in
            opening.ticket = nil
            guard let self, self.opening[opening.frame.exchange] === opening else { return }
            if let hold { return self.grant(opening, hold: hold) }
            self.opening[opening.frame.exchange] = nil
            self.drop(opening)
            self.refuse(opening.frame.exchange, reason: ExchangeFailure.noMemory)
            self.settleIfDone()
        }
    }

    private func grant(_ opening: OpeningExchange, hold: PayloadHold?) {
        opening.isGranted = true
        opening.hold = hold
        self.write(Frame(.grant, bulk: opening.number))
        self.startIfWhole(opening)
    }

    private func startIfWhole(_ opening: OpeningExchange) {
        let exchange = opening.frame.exchange
        guard opening.isGranted, opening.frame.payload != nil, self.opening[exchange] === opening else { return }
        self.opening[exchange] = nil
        self.start(opening.frame, hold: opening.hold, followed: opening.held)
    }

    /// What is left of an exchange that does not start.
    private func drop(_ opening: OpeningExchange) {
        for number in opening.held.compactMap(\.bulk) { self.bulk.discard(number) }
        if let ticket = opening.ticket { self.admission?.gate.withdraw(ticket) }
        guard opening.frame.payload == nil else {
            if !opening.isGranted { self.write(Frame(.grant, bulk: opening.number)) }
            return
        }
        if opening.isGranted {
            self.bulk.discard(opening.number)
        } else {
            self.refusePayload(opening.number, isAhead: opening.isAhead)
        }
    }

    /// A frame came for an exchange that cannot start yet. A cancel takes effect at once: it never starts.
    func hold(_ frame: Frame, for opening: OpeningExchange) {
        switch frame.kind {
        case .message, .end:
            opening.held.append(frame)
        case .cancel:
            self.opening[frame.exchange] = nil
            if frame.bulk != nil {
                // Taken back by its sender, which it has never left.
                if let ticket = opening.ticket { self.admission?.gate.withdraw(ticket) }
                self.bulk.forget(opening.number)
            } else {
                self.drop(opening)
            }
            self.settleIfDone()
        case .open:
            self.close()
        case .credit, .hello, .bulk, .want, .grant:
            break
        }
    }

    /// - Parameter held: what came for it meanwhile. Where its end is among that, its slot may have another exchange by now.
    private func start(_ frame: Frame, hold: PayloadHold?, followed held: Deque<Frame> = []) {
        guard self.isOpen else { return }
        guard let onOpen = self.onOpen else {
            for number in held.compactMap(\.bulk) { self.bulk.discard(number) }
            return self.refuse(frame.exchange, reason: ExchangeFailure.tooMany)
        }
        let exchange = Exchange(header: Self.keptHeader(frame), payload: frame.payload, hold: hold)
        let number = ExchangeNumber(rawValue: frame.exchange)
        if held.last?.kind == .end {
            self.ending[number.rawValue] = exchange
        } else if !self.exchanges.place(exchange, at: number) {
            return self.close()
        }
        exchange.attach(to: self, number: number, opening: false)
        onOpen(exchange)
        for frame in held { self.continued(exchange, frame) }
    }
}

import BridgeCore
package import NIOCore

/// Bytes that are counted as long as this lives. It travels with the payload that they are of.
///
/// Confined to the event loop of whoever counts.
package final class PayloadHold {
    package let octets: Int
    private let onRelease: (Int) -> Void

    init(octets: Int, onRelease: @escaping (Int) -> Void) {
        self.octets = octets
        self.onRelease = onRelease
    }

    deinit { self.onRelease(self.octets) }

    /// Several as one; `nil` of none.
    package static func all(_ holds: [PayloadHold]) -> PayloadHold? {
        guard holds.count > 1 else { return holds.first }
        return PayloadHold(octets: holds.reduce(0) { $0 + $1.octets }) { _ in withExtendedLifetime(holds) {} }
    }
}

/// The memory that a process has for requests which it passes on: each is counted from the moment it may be sent here
/// until its last byte has left.
///
/// Confined to its event loop.
package final class PayloadGate {
    private struct Wish {
        let caller: String
        let octets: Int
        let answer: (PayloadHold?) -> Void
    }

    private let loop: any EventLoop
    private var shares: PayloadShares<String>
    private var wishes: [UInt64: Wish] = [:]
    private var lastTicket: UInt64 = 0
    private var isLookDue = false
    private var alarm: Scheduled<Void>?

    /// - Parameter limit: in bytes; see ``PayloadShares``.
    package init(limit: Int, loop: any EventLoop) {
        self.loop = loop
        self.shares = PayloadShares(limit: limit)
    }

    package var limit: Int {
        get { self.shares.limit }
        set {
            self.shares.limit = newValue
            self.lookSoon()
        }
    }
    package var held: Int { self.shares.held }

    /// For a payload that is here already.
    ///
    /// - Returns: false when there is no room for it; no hold where it is too small to be counted.
    package func take(caller: @autoclosure () -> String, octets: Int) -> (fits: Bool, hold: PayloadHold?) {
        guard octets >= PayloadShares<String>.smallest else { return (true, nil) }
        let caller = caller()
        self.lastTicket += 1
        let verdict = self.shares.ask(self.lastTicket, caller: caller, octets: octets, mayWait: false, now: .now())
        return verdict == .granted ? (true, self.hold(caller, octets)) : (false, nil)
    }

    /// For a payload that its sender still has.
    ///
    /// - Parameter answer: called once, perhaps before this returns, unless the wish is withdrawn; `nil` when it is refused.
    /// - Returns: the ticket of a wish that waits.
    @discardableResult
    package func ask(caller: String, octets: Int, _ answer: @escaping (PayloadHold?) -> Void) -> UInt64? {
        self.lastTicket += 1
        let ticket = self.lastTicket
        switch self.shares.ask(ticket, caller: caller, octets: octets, mayWait: true, now: .now()) {
        case .granted:
            answer(self.hold(caller, octets))
            return nil
        case .refused:
            answer(nil)
            return nil
        case .waits:
            self.wishes[ticket] = Wish(caller: caller, octets: octets, answer: answer)
            self.setAlarm()
            return ticket
        }
    }

    package func withdraw(_ ticket: UInt64) {
        guard self.wishes.removeValue(forKey: ticket) != nil else { return }
        self.shares.withdraw(ticket)
        self.lookSoon()
    }

    private func hold(_ caller: String, _ octets: Int) -> PayloadHold {
        PayloadHold(octets: octets) { octets in
            self.shares.release(caller: caller, octets: octets, now: .now())
            self.lookSoon()
        }
    }

    /// A hold may end in the middle of anything, so who waits is served in a later turn.
    private func lookSoon() {
        guard !self.wishes.isEmpty, !self.isLookDue else { return }
        self.isLookDue = true
        self.loop.assumeIsolated().execute {
            self.isLookDue = false
            self.look()
        }
    }

    private func look() {
        let now = NIODeadline.now()
        for ticket in self.shares.next(now: now) {
            guard let wish = self.wishes.removeValue(forKey: ticket) else { continue }
            wish.answer(self.hold(wish.caller, wish.octets))
        }
        for ticket in self.shares.expire(now: now) { self.wishes.removeValue(forKey: ticket)?.answer(nil) }
        self.setAlarm()
    }

    private func setAlarm() {
        guard self.alarm == nil, let time = self.shares.nextExpiry else { return }
        self.alarm = self.loop.assumeIsolated().scheduleTask(deadline: time) {
            self.alarm = nil
            self.look()
        }
    }
}

/// Counts what was answered and has not left this process yet, and says when it is too much: then whatever the answers
/// come from is not read any further.
///
/// Confined to its event loop.
package final class AnswerMeter {
    package var limit: Int
    package private(set) var held = 0
    package private(set) var isFull = false
    /// Told, in a later turn of the loop, when ``isFull`` has changed.
    package var onChange: ((Bool) -> Void)?
    private let loop: any EventLoop
    private var isTold = false

    package init(limit: Int, loop: any EventLoop) {
        self.limit = limit
        self.loop = loop
    }

    func hold(_ octets: Int) -> PayloadHold? {
        guard octets >= PayloadShares<String>.smallest else { return nil }
        self.count(octets)
        return PayloadHold(octets: octets) { self.count(-$0) }
    }

    private func count(_ octets: Int) {
        self.held += octets
        let isFull = self.held > (self.isFull ? self.limit / 2 : self.limit)
        guard isFull != self.isFull else { return }
        self.isFull = isFull
        self.loop.assumeIsolated().execute {
            guard self.isTold != self.isFull else { return }
            self.isTold = self.isFull
            self.onChange?(self.isFull)
        }
    }
}

import BridgeCore
import BridgeLink
import NIOCore

/// One side of an exchange: remembers all that it hears, and holds the link to its promises while it listens.
final class Talker: ExchangeDelegate {
    struct Heard: Equatable {
        let header: String
        let payload: ByteBuffer?
    }

    private(set) var exchange: Exchange?
    private(set) var messages: [Heard] = []
    private(set) var end: Heard?
    private(set) var failure: ExchangeFailure?
    private(set) var timesWritable = 0
    /// What the link did that it must not do.
    private(set) var violations: [String] = []
    var onMessage: ((Exchange, JSONText, ByteBuffer?) -> Void)?
    var onWritable: ((Exchange) -> Void)?

    private let changed: () -> Void

    init(changed: @escaping () -> Void) { self.changed = changed }

    var isOver: Bool { self.end != nil || self.failure != nil }

    func takes(_ exchange: Exchange) { self.exchange = exchange }

    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {
        self.check("message")
        self.messages.append(Heard(header: header.description, payload: payload))
        self.onMessage?(exchange, header, payload)
        self.changed()
    }

    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {
        self.check("end")
        self.end = Heard(header: header.description, payload: payload)
        self.changed()
    }

    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        self.check("failure \(failure)")
        self.failure = failure
        self.changed()
    }

    func exchangeBecameWritable(_ exchange: Exchange) {
        self.check("writable")
        if !exchange.isWritable { self.violations.append("told of a window that is not open") }
        self.timesWritable += 1
        self.onWritable?(exchange)
        self.changed()
    }

    private func check(_ what: String) {
        if self.isOver { self.violations.append("\(what) after the last word") }
    }
}

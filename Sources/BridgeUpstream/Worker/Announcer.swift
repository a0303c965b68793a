import BridgeCore
import BridgeLink
import NIOCore

/// Tells the supervisor and every watcher how the upstream is, and the watchers what it offers.
///
/// However often the state changes in one turn of the event loop, it is told once; and who is slow to read gets the newest
/// and nothing in between. Confined to its event loop.
final class Announcer {
    private static let statusHeader = JSONText(literal: #"{"op":"status"}"#)

    private let loop: any EventLoop
    private let control: LinkConnection
    /// The state as it is now.
    private let state: () -> JSONText
    private var catalogue: ByteBuffer?
    private var watchers: [ObjectIdentifier: Watcher] = [:]
    private var isScheduled = false
    /// The supervisor has not taken the last status yet.
    private var isReporting = false
    private var isReportDue = false

    init(loop: any EventLoop, control: LinkConnection, state: @escaping () -> JSONText) {
        self.loop = loop
        self.control = control
        self.state = state
    }

    func watch(_ exchange: Exchange) {
        let watcher = Watcher(exchange) { [weak self] in self?.watchers[ObjectIdentifier($0)] = nil }
        self.watchers[ObjectIdentifier(watcher)] = watcher
        exchange.delegate = watcher
        watcher.offer(state: self.state().bytes)
        if let catalogue { watcher.offer(catalogue: catalogue) }
    }

    /// Tells the state at the end of this turn.
    func stateChanged() {
        guard !self.isScheduled else { return }
        self.isScheduled = true
        self.loop.assumeIsolated().execute {
            self.isScheduled = false
            self.tellState()
        }
    }

    private func tellState() {
        let state = self.state()
        for watcher in self.watchers.values { watcher.offer(state: state.bytes) }
        self.isReportDue = true
        self.report()
    }

    private func report() {
        guard self.isReportDue, !self.isReporting else { return }
        self.isReportDue = false
        self.isReporting = true
        let report = StatusReport { [weak self] in
            self?.isReporting = false
            self?.report()
        }
        _ = self.control.open(header: Self.statusHeader, payload: self.state().bytes, delegate: report)
    }

    /// - Returns: whether it differs from the last one.
    func publish(catalogue: ByteBuffer) -> Bool {
        guard catalogue != self.catalogue else { return false }
        self.catalogue = catalogue
        for watcher in self.watchers.values { watcher.offer(catalogue: catalogue) }
        return true
    }

    /// Passes on a notification that belongs to no call.
    func note(_ notification: ByteBuffer) {
        for watcher in self.watchers.values { watcher.offer(note: notification) }
    }
}

/// One exchange of a session worker that wants to be kept informed.
private final class Watcher: ExchangeDelegate {
    private static let stateHeader = JSONText(literal: #"{"t":"state"}"#)
    private static let catalogueHeader = JSONText(literal: #"{"t":"catalog"}"#)
    private static let noteHeader = JSONText(literal: #"{"t":"note"}"#)
    /// Notes that wait for room; more are dropped, the oldest first.
    private static let maximumNotes = 64
    private static let maximumNoteOctets = 1 << 20

    private let exchange: Exchange
    private let onOver: (Watcher) -> Void
    private var state: ByteBuffer?
    private var catalogue: ByteBuffer?
    private var notes = CircularBuffer<ByteBuffer>(initialCapacity: 4)
    private var noteOctets = 0

    init(_ exchange: Exchange, onOver: @escaping (Watcher) -> Void) {
        self.exchange = exchange
        self.onOver = onOver
    }

    func offer(state: ByteBuffer) {
        self.state = state
        self.flush()
    }

    func offer(catalogue: ByteBuffer) {
        self.catalogue = catalogue
        self.flush()
    }

    func offer(note: ByteBuffer) {
        self.notes.append(note)
        self.noteOctets += note.readableBytes
        while self.notes.count > Self.maximumNotes || self.noteOctets > Self.maximumNoteOctets,
            let oldest = self.notes.popFirst()
        {
            self.noteOctets -= oldest.readableBytes
        }
        self.flush()
    }

    private func flush() {
        while self.exchange.isWritable {
            if let state = self.state {
                self.state = nil
                self.exchange.send(header: Self.stateHeader, payload: state)
            } else if let catalogue = self.catalogue {
                self.catalogue = nil
                self.exchange.send(header: Self.catalogueHeader, payload: catalogue)
            } else if let note = self.notes.popFirst() {
                self.noteOctets -= note.readableBytes
                self.exchange.send(header: Self.noteHeader, payload: note)
            } else {
                return
            }
        }
    }

    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {}
    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) { self.onOver(self) }
    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) { self.onOver(self) }
    func exchangeBecameWritable(_ exchange: Exchange) { self.flush() }
}

/// Hears that the supervisor has taken a status.
private final class StatusReport: ExchangeDelegate {
    private let onTaken: () -> Void

    init(onTaken: @escaping () -> Void) {
        self.onTaken = onTaken
    }

    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {}
    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) { self.onTaken() }

    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        // Without a link there is nobody to tell any more.
        if case .linkLost = failure { return }
        self.onTaken()
    }
}

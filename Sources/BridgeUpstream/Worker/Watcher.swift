import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// One exchange of a session worker that wants to be kept informed. Who is slow to read gets the newest of each kind and
/// nothing in between.
///
/// Confined to its event loop.
final class Watcher: ExchangeDelegate {
    private static let state = UpstreamNews.state.text
    private static let identity = UpstreamNews.identity.text
    /// Notes that wait for room; more are dropped, the oldest first.
    private static let maximumNotes = 64
    private static let maximumNoteOctets = 1 << 20

    private let exchange: Exchange
    private let onOver: (Watcher) -> Void
    private var state: JSONText?
    private var identity: JSONText?
    private var catalogues: [(offering: Offering, entries: ByteBuffer)] = []
    private var notes = CircularBuffer<(text: JSONText, news: UpstreamNews)>(initialCapacity: 4)
    private var noteOctets = 0

    init(_ exchange: Exchange, onOver: @escaping (Watcher) -> Void) {
        self.exchange = exchange
        self.onOver = onOver
    }

    func offer(state: JSONText) {
        self.state = state
        self.flush()
    }

    func offer(identity: JSONText) {
        self.identity = identity
        self.flush()
    }

    func offer(_ entries: ByteBuffer, of offering: Offering) {
        self.catalogues.removeAll { $0.offering == offering }
        self.catalogues.append((offering, entries))
        self.flush()
    }

    /// - Parameter news: what kind of note it is.
    func offer(note: JSONText, as news: UpstreamNews) {
        self.notes.append((note, news))
        self.noteOctets += note.count
        while self.notes.count > Self.maximumNotes || self.noteOctets > Self.maximumNoteOctets,
            let oldest = self.notes.popFirst()
        {
            self.noteOctets -= oldest.text.count
        }
        self.flush()
    }

    private func flush() {
        while self.exchange.isWritable, let (header, payload) = self.next() {
            self.exchange.send(header: header, payload: payload)
        }
    }

    /// What is to be told next. Who the upstream is comes before what it lists.
    private func next() -> (header: JSONText, payload: ByteBuffer)? {
        if let state = self.state {
            self.state = nil
            return (Self.state, state.bytes)
        }
        if let identity = self.identity {
            self.identity = nil
            return (Self.identity, identity.bytes)
        }
        if !self.catalogues.isEmpty {
            let (offering, entries) = self.catalogues.removeFirst()
            return (UpstreamNews.catalogue(of: offering.name).text, entries)
        }
        guard let note = self.notes.popFirst() else { return nil }
        self.noteOctets -= note.text.count
        return (note.news.text, note.text.bytes)
    }

    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {}
    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) { self.onOver(self) }
    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) { self.onOver(self) }
    func exchangeBecameWritable(_ exchange: Exchange) { self.flush() }
}

import BridgeCore
import BridgeLink
import NIOCore

/// A stream that a client opened with GET, for what belongs to no request of its.
final class ListeningStream: ExchangeDelegate {
    private weak var session: LiveSession?
    private let exchange: Exchange
    private var onEnd: (() -> Void)?
    /// Nil of a stream that nobody can open again.
    private let number: UInt64?
    /// How far its client had read the stream before.
    private let seen: ListeningPlace?
    /// How many questions have gone out on it.
    private var questions = 0

    /// - Parameter onEnd: called when the client, or the front with it, is gone.
    init(
        of session: LiveSession, _ exchange: Exchange, number: UInt64? = nil, after seen: ListeningPlace? = nil,
        onEnd: (() -> Void)? = nil
    ) {
        self.session = session
        self.exchange = exchange
        self.number = number
        self.seen = seen
        self.onEnd = onEnd
    }

    /// - Parameter isPrimed: whether it begins with an event that only has an id. There are clients that count a stream
    ///   which ended without an id as a failure.
    func open(isPrimed: Bool) {
        let place = isPrimed ? self.number.map { ListeningPlace(stream: $0, position: 0) } : nil
        let event = place.map { SessionEvent(eventID: $0.id, isPriming: true) }
        self.exchange.send(header: event?.text(capacity: 64) ?? SessionEvent.open)
    }

    /// Asks the client something. That is never dropped.
    ///
    /// - Returns: its own place, and, for a client that has read nothing of this stream, one on the stream before. None where
    ///   nobody can come back.
    func ask(_ question: ByteBuffer) -> [ListeningPlace] {
        guard let number else {
            self.exchange.send(header: .emptyObject, payload: question)
            return []
        }
        self.questions += 1
        let place = ListeningPlace(stream: number, position: self.questions)
        self.exchange.send(header: SessionEvent(eventID: place.id).text(capacity: 64), payload: question)
        return [place] + (self.seen.map { [ListeningPlace(stream: $0.stream, position: .max)] } ?? [])
    }

    /// Sends a notification.
    ///
    /// - Returns: false when it was dropped because the client reads too slowly.
    @discardableResult
    func send(_ message: ByteBuffer) -> Bool {
        guard self.exchange.isWritable else { return false }
        self.exchange.send(header: .emptyObject, payload: message)
        return true
    }

    /// Whether what is sent now leaves now.
    var isRead: Bool { self.exchange.isWritable }

    func end() { self.exchange.end(header: SessionEnd.answered) }

    /// Another one has taken its place: that it ends means nothing.
    func replace() {
        self.onEnd = nil
        self.end()
    }

    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {}
    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) { self.gone(StreamLeft(header)) }
    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) { self.gone() }
    func exchangeBecameWritable(_ exchange: Exchange) { self.session?.hasRoom() }

    /// - Parameter left: what of it has left, where the front knows.
    private func gone(_ left: StreamLeft? = nil) {
        self.session?.forget(self)
        if let left, let number, self.questions > 0 {
            let last = ListeningPlace(left.eventID).flatMap { $0.stream == number ? $0 : nil }
            self.session?.onUnsent?(last ?? ListeningPlace(stream: number, position: 0))
        }
        self.onEnd?()
        self.onEnd = nil
    }
}

/// How far a client has read a stream that it listens on: to its beginning, or to a question on it.
///
/// Only questions are kept, while they are open; of everything else, who comes back listens anew.
struct ListeningPlace: Equatable {
    let stream: UInt64
    /// Which question it is, from 1 on; 0 is the beginning.
    let position: Int

    private static let prefix = "listen"

    init(stream: UInt64, position: Int) {
        self.stream = stream
        self.position = position
    }

    /// Takes an event's id apart: `listen.STREAM`, or `listen.STREAM.POSITION`, the stream's number in base 36.
    init?(_ id: String) {
        let parts = id.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, parts[0] == Self.prefix, let stream = UInt64(parts[1], radix: 36)
        else { return nil }
        let position = parts.count == 3 ? Int(parts[2]) : 0
        guard let position, position >= 0 else { return nil }
        self.init(stream: stream, position: position)
    }

    /// Ids of other streams never look so.
    var id: String {
        let stream = "\(Self.prefix).\(String(self.stream, radix: 36))"
        return self.position == 0 ? stream : "\(stream).\(self.position)"
    }

    /// Whether what stands here was not seen by somebody who has read as far as `seen`.
    func isBeyond(_ seen: ListeningPlace) -> Bool { self.stream == seen.stream && self.position > seen.position }
}

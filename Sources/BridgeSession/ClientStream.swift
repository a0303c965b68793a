import BridgeCore
import BridgeLink
import DequeModule
import NIOCore

/// The answer to one POST: plain JSON as long as nothing but the result has to be said, events with ids from then on.
///
/// It outlives the front worker: what a client missed waits for its `Last-Event-ID`. Confined to the event loop.
final class ClientStream {
    /// What is kept for a client that comes back: events and bytes, the newest; the response always.
    static let maximumEvents = 256
    static let maximumBytes = 1 << 20

    let number: UInt64
    let session: LiveSession
    let opened: NIODeadline
    /// When the last answer went out; nil while one is missing.
    private(set) var finished: NIODeadline?
    private(set) var isStreaming = false
    /// Bytes that the kept events hold.
    private(set) var keptBytes = 0 {
        didSet { self.retention.changed(by: self.keptBytes - oldValue) }
    }

    private let retention: Retention
    private var exchange: Exchange?
    private var missing: Int
    private var sequence = 0
    private var kept: Deque<(sequence: Int, message: ByteBuffer)> = []

    /// - Parameters:
    ///   - requests: how many requests the POST holds, each of which gets one ``reply(_:)``.
    ///   - retention: counts what is kept.
    init(
        number: UInt64, session: LiveSession, exchange: Exchange, requests: Int, isBatch: Bool, retention: Retention
    ) {
        self.retention = retention
        self.number = number
        self.session = session
        self.exchange = exchange
        self.missing = requests
        self.opened = .now()
        exchange.delegate = self
        if isBatch { self.beginStreaming() }
    }

    deinit { self.retention.changed(by: -self.keptBytes) }

    /// Answers one of the POST's requests with an error that the bridge makes.
    func refuse(_ id: RPCID, _ error: BridgeError) { self.reply(error.reply(to: id.bytes), failure: error.word) }

    /// Answers one of the POST's requests; the last one ends the stream.
    ///
    /// - Parameter failure: the word for what went wrong, for the front's log.
    func reply(_ message: ByteBuffer, failure: String? = nil) {
        guard self.missing > 0 else { return }
        self.missing -= 1
        guard self.missing == 0 else {
            self.event(message)
            return
        }
        self.finished = .now()
        guard self.isStreaming else {
            self.exchange?.end(header: Self.header(failure), payload: message)
            self.exchange = nil
            return
        }
        let id = self.keep(message)
        self.exchange?.end(
            header: JSONWriter.object {
                $0.member("st", 200); $0.member("ev", id)
            }, payload: message)
        self.exchange = nil
    }

    private static let plain = JSONText(literal: #"{"st":200}"#)

    private static func header(_ failure: String?) -> JSONText {
        guard let failure else { return Self.plain }
        return JSONWriter.object {
            $0.member("st", 200)
            $0.member("err", failure)
        }
    }

    /// Sends something that is not an answer.
    ///
    /// - Returns: false when it was dropped because the client reads too slowly.
    @discardableResult
    func notify(_ message: ByteBuffer) -> Bool {
        guard self.missing > 0 else { return true }
        self.beginStreaming()
        if let exchange = self.exchange, !exchange.isWritable {
            self.retention.droppedNotes += 1
            return false
        }
        self.event(message)
        return true
    }

    /// Begins to stream with an event that only has an id, so that a client whose connection breaks can come back.
    func prime() {
        guard !self.isStreaming, self.missing > 0, let exchange = self.exchange else { return }
        self.beginStreaming()
        let id = self.nextID()
        exchange.send(
            header: JSONWriter.object {
                $0.member("ev", id); $0.member("prime", true)
            })
    }

    /// The client came back: sends what it has not seen, and goes on from there.
    ///
    /// - Returns: false when events after `sequence` are no longer kept.
    func resume(after sequence: Int, on exchange: Exchange) -> Bool {
        guard sequence >= self.dropped else { return false }
        self.exchange?.end(header: JSONText(literal: #"{"st":200}"#))
        self.exchange = exchange
        exchange.delegate = self
        exchange.send(header: JSONText(literal: #"{"open":true}"#))
        for event in self.kept where event.sequence > sequence {
            let id = self.id(of: event.sequence)
            exchange.send(header: JSONWriter.object { $0.member("ev", id) }, payload: event.message)
        }
        if self.finished != nil {
            exchange.end(header: JSONText(literal: #"{"st":200}"#))
            self.exchange = nil
        }
        return true
    }

    /// Ends the stream without the answers that are missing: the session is over.
    func abandon() {
        self.missing = 0
        self.exchange?.end(
            header: JSONText(literal: #"{"st":404}"#), payload: BridgeError.unknownSession.reply(to: nil))
        self.exchange = nil
    }

    // MARK: Events

    /// The number of the newest event that is not kept any more.
    private var dropped = 0

    private func beginStreaming() {
        guard !self.isStreaming else { return }
        self.isStreaming = true
        self.session.streams[self.number] = self
    }

    private func event(_ message: ByteBuffer) {
        let id = self.keep(message)
        self.exchange?.send(header: JSONWriter.object { $0.member("ev", id) }, payload: message)
    }

    private func keep(_ message: ByteBuffer) -> String {
        let id = self.nextID()
        // A small slice would keep the whole read that it came with.
        let isSliver = message.storageCapacity / 4 > message.readableBytes
        self.kept.append((self.sequence, isSliver ? ByteBuffer(bytes: message.readableBytesView) : message))
        self.keptBytes += message.readableBytes
        while self.kept.count > 1, self.kept.count > Self.maximumEvents || self.keptBytes > Self.maximumBytes {
            let oldest = self.kept.removeFirst()
            self.dropped = oldest.sequence
            self.keptBytes -= oldest.message.readableBytes
        }
        return id
    }

    /// Gives up what is kept for a client that comes back; one that stays misses nothing.
    func forgetEvents() {
        guard let newest = self.kept.last else { return }
        self.dropped = newest.sequence
        self.kept = []
        self.keptBytes = 0
    }

    private func nextID() -> String {
        self.sequence += 1
        return self.id(of: self.sequence)
    }

    private func id(of sequence: Int) -> String { "\(String(self.number, radix: 36))-\(sequence)" }

    /// Takes an event id apart.
    static func parse(_ id: String) -> (stream: UInt64, sequence: Int)? {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let stream = UInt64(parts[0], radix: 36), let sequence = Int(parts[1]), sequence >= 0
        else { return nil }
        return (stream, sequence)
    }
}

/// Counts what all streams keep for clients that come back, and what slow ones were not told. Confined to the event loop.
final class Retention {
    /// In bytes.
    static let maximum = 64 << 20

    private(set) var octets = 0
    /// Notifications that were dropped because their client reads too slowly.
    var droppedNotes = 0
    /// Told, in a later turn of the loop, when more than ``maximum`` is kept.
    var onExcess: (() -> Void)?
    private let loop: any EventLoop
    private var isTold = false

    init(loop: any EventLoop) { self.loop = loop }

    func changed(by octets: Int) {
        self.octets += octets
        guard self.octets > Self.maximum, !self.isTold else { return }
        self.isTold = true
        self.loop.assumeIsolated().execute {
            self.isTold = false
            self.onExcess?()
        }
    }
}

extension ClientStream: ExchangeDelegate {
    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {}

    /// The client, or the front with it, is gone. "Disconnection SHOULD NOT be interpreted as the client cancelling its
    /// request" (basic/transports): the calls go on.
    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) { self.detach(exchange) }
    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) { self.detach(exchange) }

    private func detach(_ exchange: Exchange) {
        if self.exchange === exchange { self.exchange = nil }
    }
}

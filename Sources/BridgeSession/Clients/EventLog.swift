import BridgeCore
import DequeModule
import NIOCore

/// The events of one stream that are kept for a client which comes back: the newest of them, the last one always, and every
/// question that is open.
///
/// Pure. Ids are `<stream>-<sequence>`, the stream's number in base 36.
struct EventLog {
    static let maximumEvents = 256
    static let maximumOctets = 1 << 20

    private struct Event {
        let sequence: Int
        let message: ByteBuffer
        /// The id that the client knows it by, where it is a question that is open.
        let question: String?
    }

    let number: UInt64
    /// Bytes that the kept events hold.
    private(set) var octets = 0
    /// Those of them that questions hold.
    private(set) var questionOctets = 0
    private var sequence = 0
    /// The number of the newest event that is not kept any more.
    private var dropped = 0
    private var kept: Deque<Event> = []
    private var questions = 0

    init(number: UInt64) { self.number = number }

    /// The id of an event without content.
    mutating func nextID() -> String {
        self.sequence += 1
        return self.id(of: self.sequence)
    }

    /// Keeps an event; returns its id.
    ///
    /// - Parameter question: the id that the client knows it by, where it is a question.
    mutating func keep(_ message: ByteBuffer, question: String? = nil) -> String {
        let id = self.nextID()
        // A small slice would keep the whole read that it came with.
        let message = message.withoutSurplus
        self.kept.append(Event(sequence: self.sequence, message: message, question: question))
        self.octets += message.readableBytes
        if question != nil {
            self.questions += 1
            self.questionOctets += message.readableBytes
        }
        while self.kept.count > self.questions + 1, self.isTooLong { self.dropOldest() }
        return id
    }

    private var isTooLong: Bool { self.kept.count > Self.maximumEvents || self.octets > Self.maximumOctets }

    /// Who comes back for what is dropped is told so; but not where questions stand before it: they are to be asked.
    private mutating func dropOldest() {
        guard let index = self.kept.firstIndex(where: { $0.question == nil }) else { return }
        let oldest = self.kept.remove(at: index)
        if index == 0 { self.dropped = oldest.sequence }
        self.octets -= oldest.message.readableBytes
    }

    /// A question is open no more: who comes back is not asked.
    mutating func forget(question id: String) {
        guard self.questions > 0, let index = self.kept.firstIndex(where: { $0.question == id }) else { return }
        let octets = self.kept.remove(at: index).message.readableBytes
        self.octets -= octets
        self.questionOctets -= octets
        self.questions -= 1
    }

    /// What came after an event; nil when some of it is no longer kept.
    func events(after sequence: Int) -> [(id: String, message: ByteBuffer)]? {
        guard sequence >= self.dropped else { return nil }
        return self.kept.lazy.filter { $0.sequence > sequence }.map { (self.id(of: $0.sequence), $0.message) }
    }

    /// Gives up what is kept, but for questions that are open.
    mutating func forget() {
        guard let newest = self.kept.last(where: { $0.question == nil }) else { return }
        self.kept.removeAll { $0.question == nil }
        self.dropped = min(newest.sequence, (self.kept.first?.sequence ?? .max) - 1)
        self.octets = self.questionOctets
    }

    func id(of sequence: Int) -> String { "\(String(self.number, radix: 36))-\(sequence)" }

    /// Takes an event id apart.
    static func parse(_ id: String) -> (stream: UInt64, sequence: Int)? {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let stream = UInt64(parts[0], radix: 36), let sequence = Int(parts[1]), sequence >= 0
        else { return nil }
        return (stream, sequence)
    }
}

extension ByteBuffer {
    /// The same bytes for somebody who keeps them: a copy where they are a small part of what they came in.
    var withoutSurplus: ByteBuffer {
        self.storageCapacity / 4 > self.readableBytes ? ByteBuffer(bytes: self.readableBytesView) : self
    }
}

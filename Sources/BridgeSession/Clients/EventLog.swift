import BridgeCore
import DequeModule
import NIOCore

/// The events of one stream that are kept for a client which comes back: every question that is open, the answers, and the
/// newest of what else was said; the last event always.
///
/// Pure. Ids are `<stream>-<sequence>`, the stream's number in base 36.
struct EventLog {
    /// Of events that are neither questions nor answers.
    static let maximumEvents = 256
    static let maximumOctets = 1 << 20
    /// Of answers: only a batch has several.
    static let maximumAnswerOctets = 8 << 20

    /// What an event is to somebody who misses it.
    enum Kind: Equatable {
        /// Progress, a log message: the newest are enough.
        case note
        /// To one of the requests.
        case answer
        /// By the id that the client knows it by, until it is open no more.
        case question(String)
    }

    private struct Event {
        let sequence: Int
        let message: ByteBuffer
        let kind: Kind
        var octets: Int { self.message.readableBytes }
    }

    /// What is kept of one kind.
    private struct Share {
        var count = 0
        var octets = 0

        mutating func add(_ octets: Int) {
            self.count += 1
            self.octets += octets
        }

        mutating func remove(_ octets: Int) {
            self.count -= 1
            self.octets -= octets
        }
    }

    let number: UInt64
    private var sequence = 0
    /// Who comes back for what followed an event below this one misses something, and is told so.
    private var dropped = 0
    private var kept: Deque<Event> = []
    private var notes = Share()
    private var answers = Share()
    private var questions = Share()

    init(number: UInt64) { self.number = number }

    /// The id of an event without content.
    mutating func nextID() -> String {
        self.sequence += 1
        return self.id(of: self.sequence)
    }

    /// Bytes that the kept events hold.
    var octets: Int { self.notes.octets + self.answers.octets + self.questions.octets }
    /// Those of them that questions hold.
    var questionOctets: Int { self.questions.octets }

    /// Keeps an event; returns its id.
    mutating func keep(_ message: ByteBuffer, as kind: Kind) -> String {
        let id = self.nextID()
        // A small slice would keep the whole read that it came with.
        let message = message.withoutSurplus
        self.kept.append(Event(sequence: self.sequence, message: message, kind: kind))
        self.count(kind) { $0.add(message.readableBytes) }
        while self.notes.count > Self.maximumEvents || self.notes.octets > Self.maximumOctets, self.dropOldest(.note) {}
        while self.answers.octets > Self.maximumAnswerOctets, self.dropOldest(.answer) {}
        return id
    }

    private mutating func count(_ kind: Kind, _ body: (inout Share) -> Void) {
        switch kind {
        case .note: body(&self.notes)
        case .answer: body(&self.answers)
        case .question: body(&self.questions)
        }
    }

    /// Drops the oldest of a kind that is not the last event.
    ///
    /// Who comes back is always told that an answer is missing. Of a note it is told where nothing is kept that came before
    /// it: questions are to be asked, and answers given, even so.
    private mutating func dropOldest(_ kind: Kind) -> Bool {
        guard let index = self.kept.firstIndex(where: { $0.kind == kind }), index < self.kept.count - 1 else {
            return false
        }
        let oldest = self.kept.remove(at: index)
        self.count(kind) { $0.remove(oldest.octets) }
        if kind == .answer || index == 0 { self.dropped = max(self.dropped, oldest.sequence) }
        return true
    }

    /// A question is open no more: who comes back is not asked.
    mutating func forget(question id: String) {
        guard self.questions.count > 0, let index = self.kept.firstIndex(where: { $0.kind == .question(id) }) else {
            return
        }
        self.questions.remove(self.kept.remove(at: index).octets)
    }

    /// What came after an event; nil when some of it is no longer kept.
    func events(after sequence: Int) -> [(id: String, message: ByteBuffer)]? {
        guard sequence >= self.dropped else { return nil }
        return self.kept.lazy.filter { $0.sequence > sequence }.map { (self.id(of: $0.sequence), $0.message) }
    }

    /// Gives up what is kept, but for questions that are open.
    mutating func forget() {
        let newestAnswer = self.kept.last { $0.kind == .answer }?.sequence
        let newestNote = self.kept.last { $0.kind == .note }?.sequence
        self.kept.removeAll { $0.kind == .note || $0.kind == .answer }
        self.notes = Share()
        self.answers = Share()
        // As in `dropOldest`.
        let beforeQuestions = self.kept.first.map { $0.sequence - 1 } ?? .max
        self.dropped = max(self.dropped, newestAnswer ?? 0, min(newestNote ?? 0, beforeQuestions))
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

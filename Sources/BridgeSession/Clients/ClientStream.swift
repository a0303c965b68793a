import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// The answer to one POST: plain JSON as long as nothing but the result has to be said, events from then on.
///
/// Where its caller may come back, events have ids, and what a client missed waits for its `Last-Event-ID`: the stream
/// outlives the front worker. Confined to the event loop.
final class ClientStream {
    let caller: Caller
    let opened: NIODeadline
    /// When an event stream had its last answer; nil while one is missing.
    private(set) var finished: NIODeadline?
    private(set) var isStreaming = false

    private let retention: Retention
    private var exchange: Exchange?
    /// Since when nobody reads it, while an answer is missing.
    private(set) var awaySince: NIODeadline?
    /// Questions that were put since its client last read all that there was.
    private var unreadQuestions = 0
    private var missing: Int
    /// Whether any of the POST's requests has been answered.
    private var hasAnswered = false
    /// There is none before the first event, and none of a stream that nobody can come back to.
    private var log: EventLog?

    /// - Parameters:
    ///   - requests: how many requests the POST holds, each of which gets one ``reply(_:)``.
    ///   - retention: counts what is kept.
    init(
        of caller: Caller, exchange: Exchange, requests: Int, isBatch: Bool, retention: Retention, now: NIODeadline
    ) {
        self.caller = caller
        self.exchange = exchange
        self.missing = requests
        caller.unanswered += requests
        self.retention = retention
        self.opened = now
        exchange.delegate = self
        if isBatch { self.beginStreaming() }
    }

    deinit {
        self.caller.unanswered -= self.missing
        if let log = self.log { self.retention.changed(by: -log.octets, questions: -log.questionOctets) }
    }

    /// By which a client can ask for what it missed.
    var number: UInt64? { self.log?.number }
    /// Bytes that are kept for a client which comes back.
    var keptOctets: Int { self.log?.octets ?? 0 }

    private func isAnswered(_ requests: Int) {
        self.missing -= requests
        self.caller.unanswered -= requests
    }

    /// Whether its client, as far as is known, is there to hear it.
    var isHeard: Bool { self.exchange != nil }

    /// Answers one of the POST's requests with an error that the bridge makes.
    func refuse(_ id: RPCID, _ fault: ToldFault) { self.reply(fault.reply(to: id.bytes), failure: fault.word) }

    /// Answers one of the POST's requests; the last one ends the stream.
    ///
    /// - Parameter failure: the word for what went wrong, for the front's log.
    func reply(_ message: ByteBuffer, failure: String? = nil) {
        guard self.missing > 0 else { return }
        self.isAnswered(1)
        self.hasAnswered = true
        guard self.missing == 0 else { return self.event(message, as: .answer) }
        guard self.isStreaming else {
            let header = failure.map { SessionEnd(200, failure: $0).text(capacity: 64) }
            return self.end(header ?? SessionEnd.answered, payload: message)
        }
        self.finished = .now()
        self.end(SessionEnd(200, eventID: self.keep(message, as: .answer)).text(capacity: 64), payload: message)
    }

    /// One of the POST's requests gets no answer: its client has cancelled it. The last one ends the stream, without an
    /// event where it has not begun; nobody can resume a stream without any answer.
    func drop() {
        guard self.missing > 0 else { return }
        self.isAnswered(1)
        guard self.missing == 0 else { return }
        self.finished = .now()
        self.end(SessionEnd(200, failure: Fault.cancelled.word).text(capacity: 64))
        if !self.hasAnswered { self.forget() }
    }

    /// Sends something that is not an answer.
    ///
    /// - Returns: false when it was dropped because the client reads too slowly.
    @discardableResult
    func notify(_ message: ByteBuffer) -> Bool {
        guard self.missing > 0 else { return true }
        self.beginStreaming()
        if let exchange = self.exchange, !exchange.isWritable {
            self.retention.dropped()
            return false
        }
        self.event(message, as: .note)
        return true
    }

    // MARK: Questions

    /// Whether a question of this size can be put to its client, and kept until the client has seen it.
    func canAsk(_ octets: Int) -> Bool {
        if self.exchange?.isWritable != false { self.unreadQuestions = 0 }
        guard self.unreadQuestions < OpenQuestions<Call>.maximum else { return false }
        guard case .goOn = self.caller.onDisconnect else { return true }
        return self.retention.questionOctets + octets <= Retention.maximum
    }

    /// The client's answer is kept until its server wants it.
    ///
    /// - Returns: whether there is room for it.
    func keep(answer octets: Int) -> Bool { self.retention.keep(answer: octets) }
    /// No server wants so much of them any more.
    func forget(answers octets: Int) { self.retention.forget(answers: octets) }

    /// Asks the client something. That is never dropped.
    func ask(_ question: ByteBuffer, as id: String) {
        guard self.missing > 0 else { return }
        self.unreadQuestions += 1
        self.beginStreaming()
        self.send(question, id: self.keep(question, as: .question(id)))
    }

    /// A question has been answered: nobody is to be asked again.
    func forget(question id: String) {
        self.counting { $0?.forget(question: id) }
    }

    /// A question is not to be answered any more.
    func withdraw(question id: String, reason: String) {
        self.forget(question: id)
        guard self.missing > 0 else { return }
        self.event(Cancellation.message(of: id, reason: reason), as: .note)
    }

    /// Begins to stream although there is nothing to tell yet.
    func prime() {
        if !self.isStreaming, self.missing > 0, self.exchange != nil { self.beginStreaming() }
    }

    /// The same for a request that has no answer of its own: when the service stops, nobody waits for one.
    func beginEndless() {
        guard !self.isStreaming, self.missing > 0, let exchange = self.exchange else { return }
        self.beginStreaming(tellingClient: false)
        let id = self.caller.revision.allowsPrimingEvents ? self.log?.nextID() : nil
        exchange.send(header: SessionEvent(eventID: id, isPriming: id != nil, isEndless: true).text(capacity: 96))
    }

    /// The client came back: sends what it has not seen, and goes on from there.
    ///
    /// - Returns: false when events after `sequence` are no longer kept, or when there are none and there will be none: a
    ///   client that is given a stream which only ends may come back for ever.
    func resume(after sequence: Int, on exchange: Exchange) -> Bool {
        guard let events = self.log?.events(after: sequence), !events.isEmpty || self.finished == nil else {
            return false
        }
        self.end(SessionEnd.answered)
        self.exchange = exchange
        self.awaySince = nil
        exchange.delegate = self
        self.open(after: events.isEmpty && self.finished == nil ? self.log?.nextID() : self.log?.id(of: sequence))
        for event in events { self.send(event.message, id: event.id) }
        if self.finished != nil { self.end(SessionEnd.answered) }
        return true
    }

    /// Ends the stream without the answers that are missing: the session is over.
    func abandon() {
        self.isAnswered(self.missing)
        self.end(
            SessionEnd(Fault.unknownSession.status).text(capacity: 32), payload: ToldFault.unknownSession.reply(to: nil)
        )
    }

    /// Lets go of a stream whose answer nobody fetched.
    func forget() {
        if case .goOn(let streams) = self.caller.onDisconnect { streams.forget(self) }
    }

    /// Gives up what is kept for a client that comes back; one that stays misses nothing.
    func forgetEvents() {
        self.counting { $0?.forget() }
    }

    // MARK: Events

    private func beginStreaming(tellingClient isTold: Bool = true) {
        guard !self.isStreaming else { return }
        self.isStreaming = true
        guard case .goOn(let streams) = self.caller.onDisconnect else { return }
        let number = self.retention.nextNumber()
        self.log = EventLog(number: number)
        streams.keep(self, as: number)
        guard isTold else { return }
        if self.exchange != nil, self.caller.revision.allowsPrimingEvents { self.open(after: self.log?.nextID()) }
    }

    /// Begins with an event that only has an id, where the revision has such, so that a client whose connection breaks can
    /// come back.
    ///
    /// - Parameter id: a new one, or that of the event which the client has seen last, where others follow: coming back after
    ///   a new one would miss them.
    private func open(after id: String?) {
        let primes = self.caller.revision.allowsPrimingEvents
        self.exchange?.send(
            header: primes ? SessionEvent(eventID: id, isPriming: true).text(capacity: 64) : SessionEvent.open)
    }

    private func event(_ message: ByteBuffer, as kind: EventLog.Kind) {
        self.send(message, id: self.keep(message, as: kind))
    }

    private func send(_ message: ByteBuffer, id: String?) {
        self.exchange?.send(header: SessionEvent(eventID: id).text(capacity: 64), payload: message)
    }

    private func end(_ header: JSONText, payload: ByteBuffer? = nil) {
        self.exchange?.end(header: header, payload: payload)
        self.exchange = nil
    }

    /// Changes what is kept, and counts it.
    private func counting<Result>(_ body: (inout EventLog?) -> Result) -> Result {
        let before = (all: self.keptOctets, questions: self.log?.questionOctets ?? 0)
        let result = body(&self.log)
        self.retention.changed(
            by: self.keptOctets - before.all, questions: (self.log?.questionOctets ?? 0) - before.questions)
        return result
    }

    /// - Returns: the event's id, where it has one.
    private func keep(_ message: ByteBuffer, as kind: EventLog.Kind) -> String? {
        guard self.log != nil else { return nil }
        return self.counting { $0?.keep(message, as: kind) }
    }
}

extension ClientStream: ExchangeDelegate {
    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {}

    /// The client, or the front with it, is gone. Of a session that says nothing about its requests: "Disconnection SHOULD
    /// NOT be interpreted as the client cancelling its request" (basic/transports).
    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) { self.detach(exchange) }
    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) { self.detach(exchange) }

    private func detach(_ exchange: Exchange) {
        guard self.exchange === exchange else { return }
        self.exchange = nil
        if self.missing > 0 { self.awaySince = .now() }
        self.caller.disconnected(self)
    }
}

import BridgeAccess
import BridgeConfiguration
import BridgeCore
import BridgeLink
import Logging
import NIOCore

/// One request on the front's own path, from its head to the end of its answer: a plain object that is called when
/// something happens. Confined to the event loop.
///
/// What it does about it, ``ResponseMachine`` decides; how it speaks is its ``Endpoint``'s.
final class FrontRequest: OwnRequest {
    let state: FrontState
    let connection: ClientConnection
    let endpoint: Endpoint
    let operation: Endpoint.Operation
    let verdict: HeadVerdict
    var machine: ResponseMachine
    var exchange: Exchange?
    /// For a session worker, when there is none, or for the next comment of a silent stream.
    var timer: Scheduled<Void>?
    var stream: EventBuffer?
    /// Of a stream that is listened on: the last message with an id that has left (``StreamLeft``).
    var left = ""
    /// What was read of the body, once it had arrived.
    private(set) var body: PostBody?
    /// What is sent. Kept only while it may have to be sent.
    var payload: CollectedBody?

    let contentLength: Int?
    var collector: BodyCollector
    var ticket: UInt64?
    var refusal: Refusal?
    var isCounted = false
    /// How the session worker knows who asks, where requests before it had the same head.
    let caller: CallerBinding?
    /// The number that its exchange was opened with, until the session worker's first word: known already, or given by it.
    var binding: (number: BindingNumber, isKnown: Bool)?
    private var id: RequestID?
    private let start: NIODeadline
    // For the audit.
    var subject: String?
    var requestBytes = 0
    var responseBytes = 0
    var isAudited = false
    /// Of HTTP+SSE: the session that it is the stream of, or is for.
    var session: StreamedSession?
    /// Of HTTP+SSE: it has been accepted, and what comes of it goes to its session.
    var isPosted = false
    private var isOpened = false

    /// - Parameter caller: how the session worker is told who asks; nil where it is told in full.
    init(
        _ connection: ClientConnection, _ endpoint: Endpoint, _ operation: Endpoint.Operation, _ verdict: HeadVerdict,
        contentLength: Int?, caller: CallerBinding? = nil
    ) {
        let state = connection.state
        self.state = state
        self.connection = connection
        self.endpoint = endpoint
        self.operation = operation
        self.verdict = verdict
        self.contentLength = contentLength
        self.caller = caller
        self.refusal = verdict.refusal
        self.start = state.clock.now
        self.machine = ResponseMachine(
            .init(
                outlivesClient: operation == .post, endsOnDrain: operation == .get || operation == .sse,
                mayBeRepeated: true, outlivesWorker: operation == .sse))
        self.collector = BodyCollector(
            expected: contentLength, limit: state.configuration.limits.maximumBodyBytes)
    }

    var payer: String { self.session?.id ?? self.verdict.fields.sessionID ?? "" }

    func body(of refusal: Refusal) -> ByteBuffer { self.endpoint.refusal(refusal, self.answeredID) }

    // MARK: What the client sends

    func begin() {
        if self.refusal == nil, self.endpoint.isStreamed, self.operation == .post { self.refusal = self.findSession() }
        guard self.refusal == nil else { return }
        self.beginCounting()
        if let until = self.verdict.token?.until { self.state.watch.watch(until) }
        if self.operation == .post, self.verdict.fields.expectsContinue { self.connection.sendContinue() }
    }

    func take(_ part: ByteBuffer) {
        guard self.operation == .post, self.refusal == nil, !self.machine.isOver else { return }
        self.collect(part, orElse: .contentTooLarge(limit: self.state.configuration.limits.maximumBodyBytes))
    }

    /// All of it has arrived.
    func complete() {
        guard self.refusal == nil, self.operation == .post, !self.machine.isOver else { return self.settle() }
        let collected = self.collector.finish()
        switch self.endpoint.read(collected.bytes, self.state.configuration.limits.maximumBodyBytes) {
        case .success(let body):
            self.body = body
            self.noteSubject(collected.bytes)
            self.machine.rules.mayBeRepeated = body.mayBeRepeated
            self.payload = collected
            self.passOnWithinLimits()
        case .failure(let failure):
            if self.session != nil, let id = failure.id, self.post(failure, id) { return }
            let id = failure.id ?? self.endpoint.unreadableID(self.verdict.fields)
            if self.machine.refused() { self.tell(failure.refusal, id: id, isRecorded: false) }
        }
    }

    /// What came in one read has been looked at.
    func settle() {
        if let refusal {
            self.refusal = nil
            if self.machine.refused() { self.tell(refusal, isRecorded: false) }
        } else if self.operation != .post, !self.isOpened, !self.machine.isOver {
            if self.state.table.isDraining, self.machine.rules.endsOnDrain {
                self.connectionDrains()
            } else {
                self.open()
            }
        }
    }

    /// Nothing is against it any more.
    func passOn() {
        if self.session == nil { self.open() } else if let body { self.post(body) }
    }

    // MARK: The exchange

    func open() {
        self.isOpened = true
        let exchange = self.state.session.open(
            header: self.header(), payload: self.payload?.bytes, hold: self.payload?.hold, delegate: self)
        // The session worker is held back until the client has taken what there is.
        exchange.automaticCredit = false
        self.exchange = exchange
        if !self.machine.rules.mayBeRepeated { self.payload = nil }
        if !self.state.session.isConnected, self.stream == nil { self.waitForWorker() }
    }

    private func header() -> JSONText {
        let isInSession =
            self.session.map { _ in self.body?.method != "initialize" } ?? (self.verdict.fields.sessionID != nil)
        let isNamed = self.operation != .post || !isInSession || self.state.logger.logLevel <= .debug
        return self.opening(isNamed ? self.name() : nil)
    }

    /// A worker that has the request may take its time; one that is not there may not.
    private func waitForWorker() {
        self.timer?.cancel()
        self.timer = self.state.loop.assumeIsolated().scheduleTask(in: self.state.sessionWait) {
            guard !self.state.session.isConnected else { return }
            self.state.clock.refresh()
            guard case .refuse(let reason) = self.machine.noWorker() else { return }
            self.cancel("no session worker")
            self.tell(reason)
        }
    }

    // MARK: The end

    /// Lets go of everything that is waited for.
    func release() {
        self.timer?.cancel()
        self.timer = nil
        self.exchange = nil
        self.payload = nil
        self.withdrawWish()
    }

    /// - Parameter failure: the stable word of what went wrong; `nil` when all went as it should.
    func record(_ status: Int, failure: String? = nil) {
        self.audit(status, failure: failure)
        let token = self.verdict.token
        CallRecord(
            method: self.method, session: self.session?.sealed ?? self.verdict.fields.sessionID, elapsed: self.elapsed,
            isLong: self.machine.rules.endsOnDrain, token: token?.id, subject: self.subject,
            isAudited: token?.isAudited ?? false
        ).write(to: self.state.logger, status: status, failure: failure, id: self.name())
    }

    /// The id under which logs know it, made when one asks for it: at debug the workers are told and log the same, and above
    /// that the front alone has a record of it.
    func name() -> RequestID {
        let id = self.id ?? self.state.nextRequestID()
        self.id = id
        return id
    }

    /// Of MCP; of HTTP where there is none, or none has been read.
    var method: String {
        if let body { return body.method }
        return self.operation == .post ? "POST" : self.operation == .delete ? "DELETE" : "GET"
    }

    var elapsed: TimeAmount { self.state.clock.now - self.start }

    var page: String? { self.verdict.origin }

    /// The id that an error about it has: none before its body has been read.
    var answeredID: ByteBuffer? {
        self.body.flatMap { $0.id ?? self.endpoint.unreadableID(self.verdict.fields) }
    }
}

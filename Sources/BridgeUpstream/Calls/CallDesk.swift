import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

/// Hears of the calls of one desk.
protocol CallDeskDelegate: AnyObject {
    /// Nobody waits any more for a call that the server has, and has told of a task for it perhaps; it should know.
    func desk(_ desk: CallDesk, gaveUp id: Int, task: String?, reason: String)

    /// The server has an answer to a question of its own.
    func desk(_ desk: CallDesk, says answer: JSONText)

    /// - Returns: what is said in the place of a client that cannot be asked.
    func desk(_ desk: CallDesk, declines question: Questions.Open) -> JSONText

    /// The server asks in the middle of calls. Said once of a program.
    func deskHeardItAsks(_ desk: CallDesk)

    /// Somebody is asked, or not any more.
    func deskAsks(_ desk: CallDesk)

    /// One of them is over.
    func deskChanged(_ desk: CallDesk)
}

/// The calls of one lane: takes them, sends each once, and sees that each gets one answer.
///
/// Confined to its event loop.
final class CallDesk {
    unowned var delegate: (any CallDeskDelegate)?
    let faults: CallFaults
    private let logger: Logger
    private(set) var timeouts: UpstreamTimeouts
    var pending = PendingCalls<UpstreamCall>()
    var questions = Questions()
    /// The server's.
    var revision = ProtocolRevision.newest
    /// Of this connection.
    var tasks = LiveTasks()
    /// What the server has asked as tasks over it.
    var askedTasks = AskedTasks()
    /// The calls under way that wait for a task to end.
    var patient: Set<Int> = []
    /// An id, and what is replaced in a request: kept because making room costs more than filling it.
    private var digits = ByteBuffer()
    private var edits: [(JSONSpan, ByteBuffer)] = []

    init(_ configuration: UpstreamConfiguration, faults: CallFaults, logger: Logger) {
        self.faults = faults
        self.logger = logger
        self.timeouts = configuration.timeouts
        self.questions.asks = configuration.asks
    }

    func reconfigure(_ configuration: UpstreamConfiguration) {
        self.timeouts = configuration.timeouts
        self.questions.asks = configuration.asks
    }

    /// Another program takes the server's place.
    func replaced() { self.questions.replaced() }

    var count: Int { self.pending.count }
    /// Calls that have been sent and not answered.
    var sentCount: Int { self.pending.writtenCount }
    var hasWaiting: Bool { self.pending.hasWaiting }
    /// When ``expire(now:hindrance:)`` has something to do at the earliest.
    var nextDeadline: NIODeadline? {
        guard let question = self.questions.nextDeadline else { return self.pending.nextDeadline }
        return min(question, self.pending.nextDeadline ?? question, self.nextTurnDeadline ?? question)
    }

    // MARK: The way there

    /// - Returns: when it has to be answered; `nil` when too much waits already, or its task is no more, which it has been told.
    func take(_ call: UpstreamCall, timeout: TimeAmount, now: NIODeadline) -> NIODeadline? {
        guard self.knows(call) else {
            self.refuse(call, self.faults.taskGone)
            return nil
        }
        // Large ones are counted by the gate already.
        let octets = call.octets < PayloadShares<String>.smallest ? call.octets : 0
        guard
            let id = self.pending.add(
                call, octets: octets, timeout: timeout, isAskable: call.mayBeAsked, takesTurns: !call.isOfTask,
                now: now)
        else {
            self.refuse(call, self.faults.overloaded)
            return nil
        }
        call.attach(to: self, id: id)
        return now + timeout
    }

    /// Answers a call that has not been taken.
    func refuse(_ call: UpstreamCall, _ fault: ToldFault) {
        call.fail(fault)
        self.record(call, outcome: fault.word)
    }

    /// Sends what waits, as long as the connection takes it.
    func send(on connection: any Connection) {
        while connection.isWritable, let (id, call) = self.pending.write(inTurns: self.questions.takesTurns) {
            guard self.mayBeSent(id, call) else { continue }
            self.digits.clear()
            self.digits.writeDecimal(id)
            call.send(on: connection, digits: self.digits, edits: &self.edits)
        }
    }

    /// A connection begins. Ids on it lie behind this number.
    func begin(idsBehind number: Int) {
        self.pending.begin(idsBehind: number)
        self.questions.begin()
        self.tasks = LiveTasks()
        self.askedTasks = AskedTasks()
    }

    // MARK: The bridge's own requests

    /// The last id that was given to a request.
    var lastID: Int { self.pending.lastID }

    /// Whether a request was given this id since the connection began. Only those are in the order of their sending.
    func isOfThisConnection(_ id: Int) -> Bool { self.pending.isOfThisConnection(id) }

    /// An id for a request of the bridge's own.
    func reserveID() -> Int { self.pending.reserveID() }

    /// A request of the bridge's own is given up: a late answer is no mistake.
    func giveUp(reserved id: Int) { self.pending.giveUp(reserved: id) }

    // MARK: The way back

    enum Outcome {
        /// It answered a call, which is over now.
        case taken
        /// It answered a call that was given up; no mistake.
        case late
        /// It has been answered before, or is a request of the bridge's own.
        case duplicate
        /// No request ever had this id.
        case unknown
    }

    /// - Parameter span: of the id in the response.
    func answer(_ id: Int, with response: RPCMessage, at span: JSONSpan) -> Outcome {
        switch self.pending.answered(id) {
        case .call(let call):
            self.note(response, to: call.caller)
            if call.caller.answer(response, id: span, life: self.tasks.life) {
                self.finished(call.caller, outcome: response.shape == .error ? "error" : "result")
            } else {
                self.finish(
                    call.caller,
                    self.faults.outcomeUnknown(
                        "its answer has more than \(Frame.maximumPayload >> 20) MiB, a fixed limit"))
            }
            return .taken
        case .late:
            self.questions.answeredLate(id)
            return .late
        case .duplicate: return .duplicate
        case .unknown: return .unknown
        }
    }

    /// Whether this is a call that has been sent and not answered.
    func isUnderWay(_ id: Int) -> Bool { self.pending.isUnderWay(id) }

    /// The id of the one call that has been sent and not answered, if there is just one.
    var onlySent: Int? { self.pending.onlyWritten?.id }

    /// What came seems to answer this request, and cannot be read.
    ///
    /// - Parameter flaw: why, and what it says.
    /// - Returns: whether that is a call.
    func unreadable(_ id: Int, _ flaw: String) -> Bool {
        guard case .call(let call) = self.pending.answered(id) else { return false }
        self.finish(call.caller, self.faults.outcomeUnknown(flaw))
        return true
    }

    // MARK: Endings without an answer

    /// - Parameter hindrance: why calls have not been sent.
    func expire(now: NIODeadline, hindrance: () -> String) {
        self.expireQuestions(now: now)
        self.expireTurns(now: now)
        for (_, call) in self.pending.expire(now: now) {
            if call.isWritten {
                self.gaveUp(call.caller, reason: "timeout")
                self.finish(call.caller, self.faults.timedOut(after: call.timeout))
            } else {
                self.finish(
                    call.caller,
                    self.faults.unavailable(
                        "it was not ready \(CallFaults.words(for: call.timeout)): \(hindrance())"))
            }
        }
    }

    /// One call will get no answer, and the connection goes on.
    func lost(_ id: Int, _ loss: RequestLoss) {
        guard let call = self.pending.lost(id) else { return }
        guard loss.sent else {
            return self.finish(call.caller, self.faults.unavailable(loss.reason, retryAfter: loss.retryAfter))
        }
        self.mayStillAsk(call.caller)
        self.finish(call.caller, self.faults.outcomeUnknown(loss.reason))
    }

    /// Whether a call, if it is one, still has time by then.
    func waits(for id: Int, until time: NIODeadline) -> Bool { self.pending.deadline(id).map { time < $0 } ?? true }

    /// A call that has not been sent is about a task of another connection, and will not be.
    func refuseUnknown(_ id: Int) {
        if let call = self.pending.lost(id) { self.finish(call.caller, self.faults.taskGone) }
    }

    /// The connection is gone, and with it every call that was sent on it.
    func connectionLost(_ reason: String) {
        self.tasks = LiveTasks()
        for call in self.pending.connectionLost() { self.finish(call.caller, self.faults.outcomeUnknown(reason)) }
    }

    /// What has not been sent will not be.
    ///
    /// - Parameters:
    ///   - retryAfter: in how many seconds the upstream wants to be asked again, where it has said so.
    ///   - time: only what has no time left then.
    func failWaiting(_ reason: String, retryAfter: Int? = nil, until time: NIODeadline = .distantFuture) {
        let fault = self.faults.unavailable(reason, retryAfter: retryAfter)
        for call in self.pending.giveUpWaiting(until: time) { self.finish(call.caller, fault) }
    }

    private func gaveUp(_ call: UpstreamCall, reason: String) {
        self.mayStillAsk(call)
        self.delegate?.desk(self, gaveUp: call.id, task: call.madeTask, reason: reason)
    }

    private func mayStillAsk(_ call: UpstreamCall) {
        if !call.isOfTask { self.questions.gaveUp(call.id, whose: call.whose, now: .now()) }
    }

    func finish(_ call: UpstreamCall, _ fault: ToldFault) {
        call.fail(fault)
        self.finished(call, outcome: fault.word)
    }

    private func finished(_ call: UpstreamCall, outcome: String) {
        self.patient.remove(call.id)
        self.askedTasks.over(call.id)
        if self.questions.isOneClients, let other = self.pending.likelyAsker(isAsking: { _ in false }) {
            self.questions.handOver(from: call.id, to: other.id)
        }
        let open = self.questions.over(call.id)
        // The server may wait for it all the same, in the name of another call even.
        for question in open {
            let reason = "before the call was over"
            self.delegate?.desk(self, says: QuestionReply.unanswered(question, reason))
        }
        self.record(call, outcome: outcome)
        if !open.isEmpty {
            self.clocksGoOn(behind: call.id, now: .now())
            self.delegate?.deskAsks(self)
        }
        self.delegate?.deskChanged(self)
    }

    private func record(_ call: UpstreamCall, outcome: String) {
        guard self.logger.logLevel <= .debug, let names = call.names else { return }
        var metadata: Logger.Metadata = [
            "mcp.request_id": "\(names.requestID)",
            "mcp.method": "\(names.method)",
            "mcp.duration_us": "\((NIODeadline.now() - call.arrived).nanoseconds / 1_000)",
            "mcp.outcome": "\(outcome)",
        ]
        if let session = names.session { metadata["mcp.session"] = "\(session)" }
        if let tool = names.tool { metadata["mcp.tool"] = "\(tool)" }
        self.logger.debug("Call finished", metadata: metadata)
    }
}

extension CallDesk: UpstreamCallOwner {
    func callAbandoned(_ call: UpstreamCall, reason: String) {
        guard let isSent = self.pending.cancel(call.id) else { return }
        if isSent { self.gaveUp(call, reason: reason) }
        self.finished(call, outcome: "cancelled")
    }
}

extension ByteBuffer {
    fileprivate mutating func writeDecimal(_ number: Int) {
        if let small = UInt32(exactly: number) { self.writeDecimal(small) } else { self.writeString(String(number)) }
    }
}

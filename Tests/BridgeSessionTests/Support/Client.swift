import BridgeCore
import BridgeLink
import NIOCore

/// What became of one HTTP request, as the front would have to tell it.
struct Answer: Sendable, Equatable {
    struct Event: Sendable, Equatable {
        var id: String?
        var body: String?
    }

    /// The front was told to begin an event stream, with or without an event.
    var isStreaming = false
    var events: [Event] = []
    /// The ids of the events without content.
    var primings: [String] = []
    var status: Int?
    var session: String?
    var lastEventID: String?
    var body: String?
    var failure: ExchangeFailure?
    /// The number of who asks was not known.
    var isUnknown = false

    var isOver: Bool { self.status != nil || self.failure != nil }

    /// The body as JSON; `null` where there is none.
    var json: JSONText { self.body.flatMap { try? JSONText(validating: ByteBuffer(string: $0)) } ?? .null }
    var errorCode: Int? { self.json.value("error")?.int("code") }
    var errorWord: String? { self.json.value("error")?.value("data")?.string("code") }
}

/// The front's side of one HTTP request.
final class Client: ExchangeDelegate {
    private(set) var answer = Answer()
    private(set) var violations: [String] = []
    var exchange: Exchange?
    private let changed: () -> Void

    init(changed: @escaping () -> Void) { self.changed = changed }

    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {
        if self.answer.isOver { self.violations.append("message after the last word") }
        self.answer.isStreaming = true
        guard let event = SessionEvent(header) else { return self.changed() }
        if let session = event.sessionID { self.answer.session = session }
        if let payload {
            self.answer.events.append(Answer.Event(id: event.eventID, body: String(buffer: payload)))
        } else if event.isPriming {
            if let id = event.eventID { self.answer.primings.append(id) }
            if !self.answer.events.isEmpty { self.violations.append("a stream begins in its middle") }
        }
        self.changed()
    }

    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {
        if self.answer.isOver { self.violations.append("end after the last word") }
        let end = SessionEnd(header)
        self.answer.status = end?.status
        self.answer.session = end?.sessionID
        self.answer.lastEventID = end?.eventID
        self.answer.body = payload.map { String(buffer: $0) }
        self.answer.isUnknown = header == SessionEnd.unknownBinding
        self.changed()
    }

    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        if self.answer.isOver { self.violations.append("failure after the last word") }
        self.answer.failure = failure
        self.changed()
    }
}

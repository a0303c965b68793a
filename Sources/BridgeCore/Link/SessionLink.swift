import NIOCore

/// The header that opens an exchange between the front and the session worker.
package enum SessionOpening: LinkHeader, Equatable {
    /// All that is to be known.
    case whole(SessionRequest)
    /// A POST of a caller that an earlier request of this link has given a number (``SessionRequest/binding``). The request
    /// has an id of its own, or none. Where the number is not known, nothing runs: ``SessionEnd/unknownBinding``.
    case bound(BindingNumber, requestID: String)

    package func write(to header: inout HeaderWriter) {
        switch self {
        case .whole(let request): request.write(to: &header)
        case .bound(let number, let requestID):
            header.member("b", number.rawValue)
            header.member("rid", requestID.isEmpty ? nil : requestID)
        }
    }

    package init?(reading header: inout HeaderReader) {
        if let number = header.int("b").flatMap(BindingNumber.init(rawValue:)) {
            self = .bound(number, requestID: header.string("rid") ?? "")
        } else if let request = SessionRequest(reading: &header) {
            self = .whole(request)
        } else {
            return nil
        }
    }
}

/// What the front asks of the session worker.
package struct SessionRequest: LinkHeader, Equatable {
    package enum Operation: String, Sendable {
        /// An HTTP POST: its body is the payload.
        case post
        /// An HTTP GET: a stream for what belongs to no request, or the rest of one that broke.
        case get
        /// An HTTP GET of HTTP+SSE (2024-11-05): a session that lasts as long as this stream. With a session's id, its stream
        /// goes on: the link was lost, and the client has not noticed.
        case sse
        /// An HTTP DELETE: the session's end.
        case delete
        /// `GET /tools`: what each server offers, by name.
        case tools
        /// `GET /metrics`: how the calls of each server ended, and how soon it answered.
        case counts
        /// The principal is no more, as a revoked token's: all that goes on in its name is to end.
        case over
    }

    package var operation: Operation
    /// Of a POST in a session: the number by which its session, principal and names are to be known from now on, on this
    /// link. A request that is refused binds nothing.
    package var binding: BindingNumber?
    /// Names the request in every process's log.
    package var requestID: String
    package var sessionID: String?
    /// On whose behalf.
    package var principal: String
    /// What they may see and use of MCP, where that is not all of it.
    package var scope: String?
    /// How many of their calls may be under way at once, where that is limited.
    package var concurrency: Int?
    /// Whether they may answer requests for models, if the configuration names them (`chat.sources`).
    package var mayLend: Bool
    /// Whether they do, by the word of the command that carries them: then the configuration need not name them.
    package var lends: Bool
    /// Whether they may change what the service runs, and so sign in for it.
    package var isOwner: Bool
    /// How this client wants names to be shown (`dot`, `safe`), where its address says so.
    package var names: String?
    /// Of a GET: the event that the client saw last.
    package var lastEventID: String?

    package init(
        _ operation: Operation, requestID: String, sessionID: String? = nil, principal: String = "",
        scope: String? = nil, concurrency: Int? = nil, mayLend: Bool = false, lends: Bool = false,
        isOwner: Bool = false, names: String? = nil,
        lastEventID: String? = nil,
        binding: BindingNumber? = nil
    ) {
        self.operation = operation
        self.binding = binding
        self.requestID = requestID
        self.sessionID = sessionID
        self.principal = principal
        self.scope = scope
        self.concurrency = concurrency
        self.mayLend = mayLend
        self.lends = lends
        self.isOwner = isOwner
        self.names = names
        self.lastEventID = lastEventID
    }

    package func write(to header: inout HeaderWriter) {
        header.member("op", self.operation.rawValue)
        header.member("bind", self.binding?.rawValue)
        header.member("rid", self.requestID)
        header.member("sid", self.sessionID)
        header.member("who", self.principal)
        header.member("scope", self.scope)
        header.member("most", self.concurrency)
        header.flag("lend", self.mayLend)
        header.flag("lends", self.lends)
        header.flag("own", self.isOwner)
        header.member("names", self.names)
        header.member("leid", self.lastEventID)
    }

    package init?(reading header: inout HeaderReader) {
        guard let operation = header.string("op").flatMap(Operation.init(rawValue:)) else { return nil }
        self.operation = operation
        self.binding = header.int("bind").flatMap(BindingNumber.init(rawValue:))
        self.requestID = header.string("rid") ?? ""
        self.sessionID = header.string("sid")
        self.principal = header.string("who") ?? ""
        self.scope = header.string("scope")
        self.concurrency = header.int("most")
        self.mayLend = header.flag("lend")
        self.lends = header.flag("lends")
        self.isOwner = header.flag("own")
        self.names = header.string("names")
        self.lastEventID = header.string("leid")
    }
}

/// What the session worker says with a message of such an exchange, which has a payload unless it primes the stream or
/// only opens it.
package struct SessionEvent: LinkHeader, Equatable {
    /// The event's id, by which a client comes back.
    package var eventID: String?
    /// An event without content, which gives a client something to resume after.
    package var isPriming: Bool
    /// Of the first message of ``SessionRequest/Operation/sse``, which has no payload: the session that the stream belongs to.
    package var sessionID: String?
    /// The request has no end of its own: when the service stops, nobody waits for it.
    package var isEndless: Bool

    package init(eventID: String? = nil, isPriming: Bool = false, sessionID: String? = nil, isEndless: Bool = false) {
        self.eventID = eventID
        self.isPriming = isPriming
        self.sessionID = sessionID
        self.isEndless = isEndless
    }

    /// The stream is open; nothing is to be said yet.
    package static let open = JSONText(literal: "{}")

    package func write(to header: inout HeaderWriter) {
        header.member("ev", self.eventID)
        header.flag("prime", self.isPriming)
        header.member("sid", self.sessionID)
        header.flag("endless", self.isEndless)
    }

    package init?(reading header: inout HeaderReader) {
        self.eventID = header.string("ev")
        self.isPriming = header.flag("prime")
        self.sessionID = header.string("sid")
        self.isEndless = header.flag("endless")
    }
}

/// How the session worker ends such an exchange. The payload, if any, is the body or the last event. Where the answer has
/// not begun, 200 without a payload is an event stream without an event: there is nothing to be told, and nothing missed.
package struct SessionEnd: LinkHeader, Equatable {
    /// The HTTP status, where the answer has not begun.
    package var status: Int
    /// The id of the session that `initialize` opened; of one that lasts as long as its stream, its new one.
    package var sessionID: String?
    /// Of the last event.
    package var eventID: String?
    /// The word of what went wrong, for the log.
    package var failure: String?

    package init(_ status: Int, sessionID: String? = nil, eventID: String? = nil, failure: String? = nil) {
        self.status = status
        self.sessionID = sessionID
        self.eventID = eventID
        self.failure = failure
    }

    /// By far the most frequent one, made once.
    package static let answered = SessionEnd(200).text

    /// Of a ``SessionOpening/bound(_:requestID:)`` whose number is not known here. Nothing has run, and the payload is that
    /// of the request: it is to be sent again with all that is to be known.
    package static let unknownBinding = JSONText(literal: #"{"unknown":"binding"}"#)

    package func write(to header: inout HeaderWriter) {
        header.member("st", self.status)
        header.member("sid", self.sessionID)
        header.member("ev", self.eventID)
        header.member("err", self.failure)
    }

    package init?(reading header: inout HeaderReader) {
        self.status = header.int("st") ?? 200
        self.sessionID = header.string("sid")
        self.eventID = header.string("ev")
        self.failure = header.string("err")
    }
}

/// How the front ends the exchange of a stream that was listened on, when its client is gone.
package struct StreamLeft: LinkHeader, Equatable {
    /// The last event with an id and a message of which anybody can have read all; empty where there is none. The message of
    /// every later one has certainly not left whole.
    package var eventID: String

    package init(_ eventID: String) { self.eventID = eventID }

    package func write(to header: inout HeaderWriter) { header.member("left", self.eventID) }

    package init?(reading header: inout HeaderReader) {
        guard let eventID = header.string("left") else { return nil }
        self.eventID = eventID
    }
}

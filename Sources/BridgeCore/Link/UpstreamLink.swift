import NIOCore

/// What the session worker asks of an upstream's worker: the header that opens an exchange.
package enum UpstreamRequest: LinkHeader, Equatable {
    /// A request for the server: the payload.
    case call(UpstreamCallHeader)
    /// To be told, until the exchange ends, how the server is and what it offers (``UpstreamNews``).
    case watch
    /// To connect now, whatever its back-off says.
    case retry
    /// To be connected, and to stay so until the exchange ends, though nobody calls: somebody waits for the server's news.
    case keep
    /// The lowest level of log messages that any client wants: the payload has it as `level`.
    case level
    /// Which revision to propose to the server, as it wanted it in an earlier life, and for how long that holds.
    case propose(revision: String, seconds: Int)
    /// That the server asks in the middle of calls, as it did in an earlier life.
    case asks
    /// By which transport the server was found to speak in an earlier life, where its address says nothing of it.
    case found(transport: String)

    package func write(to header: inout HeaderWriter) {
        switch self {
        case .call(let call):
            header.member("op", "call")
            call.write(to: &header)
        case .watch: header.member("op", "watch")
        case .retry: header.member("op", "retry")
        case .keep: header.member("op", "keep")
        case .level: header.member("op", "level")
        case .propose(let revision, let seconds):
            header.member("op", "propose")
            header.member("rev", revision)
            header.member("s", seconds)
        case .asks: header.member("op", "asks")
        case .found(let transport):
            header.member("op", "found")
            header.member("by", transport)
        }
    }

    package init?(reading header: inout HeaderReader) {
        switch header.string("op") {
        case "call": self = .call(UpstreamCallHeader(reading: &header))
        case "watch": self = .watch
        case "retry": self = .retry
        case "keep": self = .keep
        case "level": self = .level
        case "propose": self = .propose(revision: header.string("rev") ?? "", seconds: header.int("s") ?? 0)
        case "asks": self = .asks
        case "found": self = .found(transport: header.string("by") ?? "")
        default: return nil
        }
    }
}

/// What an upstream's worker has to know of a call beside the request itself.
package struct UpstreamCallHeader: Sendable, Equatable {
    /// Names the request in every process's log.
    package var requestID: String
    /// How long it may go without an answer or progress, in milliseconds; nil leaves that to the upstream's configuration.
    package var timeout: Int?
    /// On whose behalf.
    package var principal: String
    /// A short digest of the client's session, for the log.
    package var session: String?
    /// What takes the place of the request's `params.name` (of one about a task, of `params.taskId`) when it is written to the
    /// server: the entry's own name, as JSON.
    /// nil leaves the request as it is.
    package var name: JSONText?
    /// Whether its client can be asked something while it runs.
    package var mayBeAsked: Bool
    /// Whose lane it takes, where not everybody shares one: the session's number or the principal.
    package var lane: String?
    /// Of a call about a task: the life of the server that has it, without which it is not sent; 0 for one that makes a task.
    /// The answer says in which life it was given.
    package var life: Int?

    package init(
        requestID: String, timeout: Int?, principal: String, session: String?, name: JSONText? = nil,
        mayBeAsked: Bool = false, lane: String? = nil, life: Int? = nil
    ) {
        self.requestID = requestID
        self.timeout = timeout
        self.principal = principal
        self.session = session
        self.name = name
        self.mayBeAsked = mayBeAsked
        self.lane = lane
        self.life = life
    }

    func write(to header: inout HeaderWriter) {
        header.member("rid", self.requestID)
        header.member("tmo", self.timeout)
        header.member("who", self.principal)
        header.member("sess", self.session)
        header.member("name", self.name)
        header.flag("ask", self.mayBeAsked)
        header.member("lane", self.lane)
        header.member("life", self.life)
    }

    init(reading header: inout HeaderReader) {
        self.requestID = header.string("rid") ?? ""
        self.timeout = header.int("tmo")
        self.principal = header.string("who") ?? ""
        self.session = header.string("sess")
        self.name = header.json("name")
        self.mayBeAsked = header.flag("ask")
        self.lane = header.string("lane")
        self.life = header.int("life")
    }
}

/// What an upstream's worker says with a message of a call's exchange.
package enum UpstreamMessage: LinkHeader, Equatable {
    /// The payload is the notification, for the call's client.
    case progress
    case log
    /// The server asks something: the payload is its request. The number tells its questions apart.
    case ask(Int)
    /// The server takes a question back, or has waited too long.
    case withdraw(Int)

    package func write(to header: inout HeaderWriter) {
        switch self {
        case .progress: header.member("t", "progress")
        case .log: header.member("t", "log")
        case .ask(let number):
            header.member("t", "ask")
            header.member("q", number)
        case .withdraw(let number):
            header.member("t", "withdraw")
            header.member("q", number)
        }
    }

    package init?(reading header: inout HeaderReader) {
        switch header.string("t") {
        case "progress": self = .progress
        case "log": self = .log
        case "ask": self = .ask(header.int("q") ?? 0)
        case "withdraw": self = .withdraw(header.int("q") ?? 0)
        default: return nil
        }
    }
}

/// What the session worker says with a message of a call's exchange.
package enum QuestionAnswer: LinkHeader, Equatable {
    /// The client's answer to a question: the payload is its response.
    case answered(Int)
    /// The client cannot be asked that: the upstream's worker says so in the words of the question's method.
    case declined(Int)
    /// The client is gone.
    case gone(Int)
    /// The client says something of what it is being asked: the payload is its notification, as the server may hear it.
    case note

    /// Of the question that it answers.
    package var number: Int? {
        switch self {
        case .answered(let number), .declined(let number), .gone(let number): number
        case .note: nil
        }
    }

    package func write(to header: inout HeaderWriter) {
        switch self {
        case .answered(let number):
            header.member("t", "answer")
            header.member("q", number)
        case .declined(let number):
            header.member("t", "decline")
            header.member("q", number)
        case .gone(let number):
            header.member("t", "gone")
            header.member("q", number)
        case .note: header.member("t", "note")
        }
    }

    package init?(reading header: inout HeaderReader) {
        let kind = header.string("t")
        guard kind != "note" else {
            self = .note
            return
        }
        let number = header.int("q") ?? 0
        switch kind {
        case "answer": self = .answered(number)
        case "decline": self = .declined(number)
        case "gone": self = .gone(number)
        default: return nil
        }
    }
}

/// How an upstream's worker ends an exchange. Of a call, the payload is the response.
package struct UpstreamEnd: LinkHeader, Equatable {
    /// The word of what went wrong, where the bridge made the response.
    package var failure: String?
    /// Whether the response is an error of the server's own.
    package var isError: Bool
    /// Of a call about a task: the life of the server that has answered.
    package var life: Int?

    package init(failure: String? = nil, isError: Bool = false, life: Int? = nil) {
        self.failure = failure
        self.isError = isError
        self.life = life
    }

    /// By far the most frequent ones, made once.
    package static let answered = UpstreamEnd().text
    package static let refused = UpstreamEnd(isError: true).text

    package func write(to header: inout HeaderWriter) {
        header.member("err", self.failure)
        header.flag("own", self.isError)
        header.member("life", self.life)
    }

    package init?(reading header: inout HeaderReader) {
        self.failure = header.string("err")
        self.isError = header.flag("own")
        self.life = header.int("life")
    }
}

/// What a watcher is told, each with a payload.
package enum UpstreamNews: LinkHeader, Equatable {
    /// Its phase and what a status shows.
    case state
    /// Who it is: `capabilities`, `serverInfo`, `instructions`, `protocolVersion`, `proposed` where it had refused the
    /// newest revision, and `transport` where that had to be found out. Before the first list of a connection.
    case identity
    /// All entries of one offering, by the offering's name: a JSON array.
    case catalogue(of: String)
    /// A notification that belongs to no call. Where not everybody shares the lane that it came over, it is for that lane's
    /// owner (``UpstreamCallHeader/lane``).
    case note(for: String?)
    /// A notification about a task of this life of the server.
    case taskNote(life: Int)

    package func write(to header: inout HeaderWriter) {
        switch self {
        case .state: header.member("t", "state")
        case .identity: header.member("t", "identity")
        case .catalogue(let offering):
            header.member("t", "catalog")
            header.member("of", offering)
        case .note(let owner):
            header.member("t", "note")
            header.member("for", owner)
        case .taskNote(let life):
            header.member("t", "task")
            header.member("life", life)
        }
    }

    package init?(reading header: inout HeaderReader) {
        switch header.string("t") {
        case "state": self = .state
        case "identity": self = .identity
        case "catalog": self = .catalogue(of: header.string("of") ?? "")
        case "note": self = .note(for: header.string("for"))
        case "task": self = .taskNote(life: header.int("life") ?? 0)
        default: return nil
        }
    }
}

/// How an upstream is doing, in one word.
package enum UpstreamPhase: String, Sendable, CaseIterable {
    case connecting, ready, idle, backoff, failed, stopped
    /// It answers nobody who has not signed in.
    case signIn = "sign-in needed"
    /// Somebody is at it.
    case signingIn = "signing in"
    /// It takes none of the tokens that it is shown, though they are fresh.
    case tokensRefused = "refused by server"
    /// What the configuration says of its OAuth cannot work.
    case misconfigured = "configuration wrong"
}

/// Where the session with a Streamable HTTP server stands. Pure.
///
/// Who talks greets: `initialize`, its answer, `notifications/initialized`, and whatever comes then. This says what may
/// leave when, and what a refusal of the session means. A session that the server does not know any more is followed by
/// another one, for which the server is greeted again.
struct HTTPSession {
    enum Phase: Equatable {
        /// Nothing has been said yet, or nothing that was taken.
        case new
        /// `initialize` is under way.
        case greeting
        /// It has been answered.
        case greeted
        /// `notifications/initialized` is under way. A request that overtakes it may be refused.
        case confirming
        case open
        /// The server does not know it any more.
        case lost
    }

    enum Sending: Equatable {
        /// Now, as the request that opens the session.
        case greeting
        /// Now, as the notification that it is open.
        case confirmation
        case now
        /// Once the session is open.
        case later
        /// It is about a session that is gone.
        case never
    }

    enum Refusal: Equatable {
        /// What was refused is sent again in the session that there is, or will be.
        case again
        /// The same, and the server is to be greeted.
        case lost
        /// One session after the other is refused.
        case hopeless
    }

    /// When a message may leave that was handed over and has not been taken: it was put off meanwhile.
    enum Turn: Equatable {
        case now
        /// In the session that follows.
        case later
        /// It is about a session that is gone.
        case never
    }

    /// So many sessions in a row may be lost without one that was good for anything.
    static let mostLosses = 2
    /// So many requests in a row may be refused as if the session were unknown, while it is known, and none be taken.
    static let mostDoubts = 3

    private(set) var phase = Phase.new
    /// By the answer to `initialize`; `nil` where the server has no sessions.
    private(set) var id: String?
    /// As the server wrote it.
    private(set) var revision: String?
    /// Counts sessions, so that what was sent in an earlier one is known.
    private(set) var number = 0
    /// Counts sessions that were lost: what was said in an earlier one means nothing any more, save for requests.
    private(set) var era = 0
    private var losses = 0
    private var doubts = 0
    /// Whether a request of it, beyond the greeting, has been taken.
    private(set) var isProven = false

    /// Whether what is handed over now would leave now.
    var takesMore: Bool {
        switch self.phase {
        case .new, .greeted, .open, .lost: true
        case .greeting, .confirming: false
        }
    }

    /// - Parameter method: of a request or a notification; asked for only while the session is not open.
    mutating func send(isRequest: Bool, method: () -> String?) -> Sending {
        switch self.phase {
        case .open: return .now
        case .new, .lost:
            guard isRequest else { return .never }
            guard method() == "initialize" else { return .later }
            self.phase = .greeting
            return .greeting
        case .greeting: return isRequest ? .later : .never
        case .greeted:
            if isRequest { return .later }
            guard method() == "notifications/initialized" else { return .never }
            self.phase = .confirming
            return .confirmation
        case .confirming: return isRequest ? .later : .now
        }
    }

    /// - Parameter era: the one that the message was handed over in.
    func turn(of kind: HTTPPost.Kind, handedOverIn era: Int) -> Turn {
        switch kind {
        case .greeting: self.phase == .greeting ? .now : .never
        case .request: self.phase == .open ? .now : .later
        case .confirmation, .other: era == self.era ? .now : .never
        }
    }

    /// `initialize` has a result.
    mutating func greeted(id: String?, revision: String?) {
        guard self.phase == .greeting else { return }
        self.phase = .greeted
        self.id = id
        self.revision = revision
        self.number += 1
        self.doubts = 0
        self.isProven = false
    }

    /// `initialize` has an error: another one may follow.
    mutating func greetingRefused() {
        if self.phase == .greeting { self.phase = .new }
    }

    /// `notifications/initialized` has been taken, or it is not worth waiting for that.
    ///
    /// - Returns: whether what waits may leave now.
    mutating func confirmed() -> Bool {
        guard self.phase == .confirming else { return false }
        self.phase = .open
        return true
    }

    /// A request of this session, beyond the greeting, has been taken.
    mutating func succeeded(inSession number: Int) {
        guard number == self.number else { return }
        self.losses = 0
        self.doubts = 0
        self.isProven = true
    }

    /// A request of this session was refused as if nobody knew the session, and another message was taken.
    ///
    /// - Returns: whether there has been so much of that that the session is not believed in any more: some servers take a
    ///   `ping` whatever session it is of.
    mutating func doubted(inSession number: Int) -> Bool {
        guard number == self.number, self.phase == .open else { return false }
        self.losses = 0
        self.doubts += 1
        return self.doubts >= Self.mostDoubts
    }

    /// The server says that it does not know the session of a request.
    mutating func refused(inSession number: Int) -> Refusal {
        guard number == self.number else { return .again }
        switch self.phase {
        case .new, .greeting, .greeted, .lost: return .again
        case .confirming, .open: break
        }
        self.losses += 1
        self.era += 1
        self.phase = .lost
        self.id = nil
        self.revision = nil
        return self.losses > Self.mostLosses ? .hopeless : .lost
    }
}

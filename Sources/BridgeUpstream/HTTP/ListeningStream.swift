import BridgeHTTPClient
import NIOCore
import NIOHTTP1

/// When the stream of what a server says by itself is opened, and opened again. Pure: times come in.
///
/// A server need not have one, and many say so in other ways than by 405. What has once been there is there again. One that
/// says nothing over it, and does not promise to, has it for a while: it takes a connection of whoever stands before it.
struct ListeningStream {
    enum Action: Equatable {
        case none
        /// Ask for it, behind this event where there is one.
        case open(after: String?)
        /// Report ``delayOver(now:)`` at this time.
        case wait(until: NIODeadline)
        /// The server does not know the session any more.
        case sessionUnknown
    }

    private enum State {
        case off
        case opening
        case open(since: NIODeadline)
        case waiting(until: NIODeadline)
        /// Nobody needs it. Once the time has come, the next request makes that another matter.
        case resting(until: NIODeadline)
        /// The server has none.
        case none
    }

    /// 1 s, 1.7 s, 2.9 s … 30 s.
    static let firstDelay = TimeAmount.seconds(1)
    static let factor = 1.7
    static let longestDelay = TimeAmount.seconds(30)
    /// A stream that ends sooner, and without an event, was none.
    static let shortLife = TimeAmount.seconds(1)
    /// After so many of those in a row it is asked for more seldom.
    static let mostShortLives = 3
    static let delayAfterShortLives = TimeAmount.seconds(60)
    /// So long a stream is a good one even if nothing was said.
    static let goodLife = TimeAmount.seconds(10)
    /// So long a stream that is on trial may be of no use.
    static let trial = TimeAmount.minutes(10)

    /// The time of a trial.
    let patience: TimeAmount
    private var state = State.off
    private var lastEventID: String?
    /// Whether it has ever been there in this session.
    private(set) var hasWorked = false
    /// Whether the server wants another token for it, as far as it has said.
    private var wantsToken = false
    private var isPromised = false
    private var hasEvent = false
    private var delay = Self.firstDelay
    private var shortLives = 0
    /// When it is closed unless something has been said over it.
    private(set) var trialEnd: NIODeadline?

    init(trial: TimeAmount = Self.trial) {
        self.patience = trial
    }

    /// Whether something may still come over it.
    var isOpen: Bool {
        switch self.state {
        case .opening, .open, .waiting: true
        case .off, .resting, .none: false
        }
    }

    /// A session has been opened; no event of another one counts.
    ///
    /// - Parameter trialEnd: `nil` where the server promises to say something over it.
    mutating func begin(onTrialUntil trialEnd: NIODeadline? = nil) -> Action {
        self = ListeningStream(trial: self.patience)
        self.trialEnd = trialEnd
        self.isPromised = trialEnd == nil
        self.state = .opening
        return .open(after: nil)
    }

    mutating func end() {
        self.state = .off
        self.trialEnd = nil
    }

    /// A request is about to be sent, and what the server has to ask or tell meanwhile may come over the stream.
    ///
    /// - Parameter hasOtherToken: whether it would be asked for with another token than before.
    mutating func wanted(now: NIODeadline, hasOtherToken: @autoclosure () -> Bool = false) -> Action {
        guard case .resting(let until) = self.state, now >= until || (self.wantsToken && hasOtherToken()) else {
            return .none
        }
        self.trialEnd = self.isPromised ? nil : now + self.patience
        self.state = .opening
        return .open(after: self.lastEventID)
    }

    /// It is of use: something has been said over it, or may be.
    mutating func passed(now: NIODeadline) -> Action {
        let action = self.wanted(now: now)
        self.trialEnd = nil
        return action
    }

    /// - Parameter isWaitedFor: whether somebody waits for what may come over it.
    /// - Returns: whether it is to be closed.
    mutating func trialOver(isWaitedFor: Bool, now: NIODeadline) -> Bool {
        guard let trialEnd, now >= trialEnd else { return false }
        // There is nothing to be tried where there is no stream and will be none.
        guard self.isOpen, !isWaitedFor else {
            self.trialEnd = self.isOpen ? now + self.patience : nil
            return false
        }
        self.trialEnd = nil
        self.state = .resting(until: now)
        return true
    }

    /// The server has begun to answer with events.
    mutating func opened(now: NIODeadline) {
        guard case .opening = self.state else { return }
        self.state = .open(since: now)
        self.hasWorked = true
        self.wantsToken = false
        self.hasEvent = false
    }

    mutating func event(id: String?) {
        self.hasEvent = true
        self.delay = Self.firstDelay
        self.shortLives = 0
        if let id { self.lastEventID = id.isEmpty ? nil : id }
    }

    /// The server has answered something else than events.
    ///
    /// - Parameters:
    ///   - status: 200 for what is no stream of events.
    ///   - retryAfter: in seconds.
    mutating func refused(status: UInt, retryAfter: Int?, hasSession: Bool, now: NIODeadline) -> Action {
        guard case .opening = self.state else { return .none }
        if self.hasWorked, status == 404, hasSession {
            self.state = .off
            return .sessionUnknown
        }
        self.wantsToken = status == 401
        // It has none any more, or none for who asks so. What has changed once may change again.
        let isNoMore = self.hasWorked ? status == 405 || status == 501 : self.wantsToken
        if isNoMore {
            self.state = .resting(until: now + Self.delayAfterShortLives)
            return .none
        }
        if !self.hasWorked, !HTTPResponseStatus(statusCode: Int(status)).isBusy {
            self.state = .none
            return .none
        }
        // What it remembers of the stream may be gone.
        if status == 400 { self.lastEventID = nil }
        return self.pause(retryAfter.map { .seconds(Int64(max($0, 1))) }, now: now)
    }

    /// The stream is over, or there was no connection for it.
    ///
    /// - Parameter retry: in milliseconds, as the server wants it.
    mutating func ended(retry: Int?, now: NIODeadline) -> Action {
        switch self.state {
        case .open(let since):
            if !self.hasEvent, now - since < Self.shortLife {
                self.shortLives += 1
            } else if now - since >= Self.goodLife {
                self.delay = Self.firstDelay
                self.shortLives = 0
            }
        case .opening: break
        case .off, .waiting, .resting, .none: return .none
        }
        if self.shortLives >= Self.mostShortLives { return self.pause(Self.delayAfterShortLives, now: now) }
        return self.pause(retry.map { max(.milliseconds(Int64($0)), AnswerStream.shortestDelay) }, now: now)
    }

    private mutating func pause(_ wanted: TimeAmount?, now: NIODeadline) -> Action {
        let until = now + (wanted ?? self.delay)
        if wanted == nil {
            let grown = Int64(Double(self.delay.nanoseconds) * Self.factor)
            self.delay = min(.nanoseconds(grown), Self.longestDelay)
        }
        self.state = .waiting(until: until)
        return .wait(until: until)
    }

    mutating func delayOver(now: NIODeadline) -> Action {
        guard case .waiting(let until) = self.state, now >= until else { return .none }
        self.state = .opening
        return .open(after: self.lastEventID)
    }
}

import BridgeCore
import BridgeHTTPClient
import BridgeLink
import BridgeMCP
import NIOCore
import NIOHTTP1

/// Hears of one message that was posted, on the event loop.
protocol HTTPPostOwner: AnyObject {
    /// Starts a transfer, with whatever every request of the connection carries.
    func transfer(_ request: HTTPRequest, to post: HTTPPost) -> MCPTransfer
    func postBegan(_ post: HTTPPost, _ head: HTTPResponseHead)
    func postSpoke(_ post: HTTPPost)
    /// - Parameter event: the kind of event it came as; `nil` when it was the body.
    func post(_ post: HTTPPost, said message: JSONText, event: String?)
    /// - Parameter isWhole: whether it was all there is.
    func post(_ post: HTTPPost, saidUnreadable bytes: ByteBuffer, reason: String, isWhole: Bool)
    /// The answer's status is 300 or more.
    func post(_ post: HTTPPost, refusedWith head: HTTPResponseHead, _ body: ByteBuffer?)
    /// There is no answer.
    func post(_ post: HTTPPost, failedWith failure: HTTPFailure)
    /// What came is over, and the answer was not in it.
    func post(_ post: HTTPPost, ended ending: HTTPPost.Ending, reason: String)
    /// Nothing comes any more of one that has been answered.
    func postOver(_ post: HTTPPost)
}

/// One message on its way to the server, and what comes back for it. Confined to its event loop.
final class HTTPPost {
    enum Kind {
        case greeting, confirmation, request
        /// A notification, or an answer.
        case other

        /// - Returns: `nil` of what is not sent.
        init?(_ sending: HTTPSession.Sending, isRequest: Bool) {
            switch sending {
            case .never: return nil
            case .greeting: self = .greeting
            case .confirmation: self = .confirmation
            case .now, .later: self = isRequest ? .request : .other
            }
        }
    }

    /// How the stream of one ended that has no answer.
    enum Ending {
        case clean, cut
        /// The rest of it is not there.
        case gone
    }

    /// A server may hold a stream open behind the answer; what is still under way has so long.
    private static let lingering = TimeAmount.seconds(5)
    /// A refusal need not be read to its end.
    private static let refusalTime = TimeAmount.seconds(5)
    /// Nobody waits for what a notification leads to.
    private static let notificationTime = TimeAmount.seconds(30)

    let request: Int?
    let kind: Kind
    /// Whether it may be sent twice.
    let onlyReads: Bool
    /// What is asked for, of a request.
    let method: String?
    /// When it was handed over (``HTTPSession/era``).
    let era: Int
    /// The session that it was last sent in, and whether that has a name.
    private(set) var session = 0
    private(set) var hasSession = false
    /// Of the token that it was last sent with.
    var generation: Int?
    /// Whether it has been sent again with another token.
    var hasBeenReauthorized = false
    private(set) var head: HTTPResponseHead?
    private(set) var stream = AnswerStream()
    var sessionRefusals = 0
    var hasBeenRepeated = false
    /// Whether nobody waits for it any more.
    private(set) var isForgotten = false
    /// Whether it waits for the answer over another stream.
    var isElsewhere = false
    private var message: ByteBuffer?
    private var hold: PayloadHold?
    private var current: MCPTransfer?
    private var isResuming = false
    private var timer: Scheduled<Void>?
    private let loop: any EventLoop
    private unowned let owner: any HTTPPostOwner

    init(
        _ message: ByteBuffer, request: Int?, method: String?, kind: Kind, onlyReads: Bool, era: Int,
        hold: PayloadHold?, loop: any EventLoop, owner: any HTTPPostOwner
    ) {
        self.method = method
        self.loop = loop
        self.message = message
        self.request = request
        self.kind = kind
        self.onlyReads = onlyReads
        self.era = era
        self.hold = hold
        self.owner = owner
    }

    /// Whether the server may have acted on it.
    var mayHaveRun: Bool {
        guard let head else { return self.current?.isSent ?? false }
        return head.status.code < 300
            || HTTPRefusal.leavesOpen(
                head, isGreeting: self.kind == .greeting, hasSession: self.hasSession, isHarmless: self.isHarmless)
    }
    /// Whether it does no harm where it runs twice.
    var isHarmless: Bool { self.onlyReads || self.kind != .request }
    /// Whether the bridge asks for itself, and may ask again.
    var isOwn: Bool { self.kind == .greeting || Offering.all.contains { $0.listMethod == self.method } }
    var canBeSent: Bool { self.message != nil }
    var canBeRepeated: Bool { self.canBeSent && !self.hasBeenRepeated }
    /// Where the request was last sent to, and where to in the end, redirects included.
    private(set) var destination: HTTPAddress?
    var address: HTTPAddress? { self.current?.address }

    var isReading: Bool {
        get { self.current?.isReading ?? true }
        set { self.current?.isReading = newValue }
    }

    func send(to destination: MCPDestination, inSession number: Int) {
        guard let message, !self.isForgotten else { return }
        self.stopWaiting()
        self.session = number
        self.hasSession = destination.session != nil
        self.destination = destination.address
        self.head = nil
        self.stream = AnswerStream()
        self.isResuming = false
        var request = destination.post(message)
        if self.request == nil { request.limits.total = Self.notificationTime }
        self.current = self.owner.transfer(request, to: self)
    }

    /// It has not run, and waits to be sent again.
    func rest() {
        self.stopWaiting()
        self.head = nil
        self.current = nil
    }

    /// Asks for what comes behind an event of its stream.
    func resume(_ request: HTTPRequest) {
        self.isResuming = true
        self.current = self.owner.transfer(request, to: self)
    }

    /// - Parameter body: not called when it is sent or ended before.
    func wait(_ time: TimeAmount, _ body: @escaping () -> Void) {
        self.stopWaiting()
        self.timer = self.loop.assumeIsolated().scheduleTask(in: time, body)
    }

    private func stopWaiting() {
        self.timer?.cancel()
        self.timer = nil
    }

    /// Its answer has come. What else its stream has to say may follow, for a moment.
    func answered() {
        self.stream.answered()
        self.stopWaiting()
        self.release()
        self.linger()
    }

    /// Nobody waits for its answer any more. What has not left does not leave.
    func forget() {
        self.isForgotten = true
        self.stopWaiting()
        self.release()
        if let current, !current.isSent { self.finish() } else { self.linger() }
    }

    private func linger() {
        guard let current, !current.isOver else { return self.owner.postOver(self) }
        self.wait(Self.lingering) { [weak self] in self?.finish() }
    }

    private func finish() {
        self.cancel()
        self.owner.postOver(self)
    }

    /// Ends it without a word.
    func cancel() {
        self.stopWaiting()
        self.release()
        self.current?.cancel()
        self.current = nil
    }

    /// The server may have asked somebody something on its account: it is never sent again.
    func hasAsked() { self.message = nil }

    private func release() {
        self.message = nil
        self.hold = nil
    }

    func ended(isClean: Bool, isListening: Bool) -> AnswerStream.End {
        self.stream.ended(isClean: isClean, isListening: isListening)
    }
}

extension HTTPPost: MCPTransferDelegate {
    func received(_ head: HTTPResponseHead, of transfer: MCPTransfer) {
        self.owner.postBegan(self, head)
        if self.isResuming {
            if head.status.code == 200, head.headers.mayBeEvents { return }
            transfer.cancel()
            let isBusy = head.status.isBusy
            if isBusy { self.stream.deferred(retryAfter: RetryAfter.seconds(head.headers, now: WallClock.seconds)) }
            return self.over(
                isBusy ? .cut : .gone,
                "the rest of its answer was asked for and is not there (\(head.status.code))")
        }
        self.head = head
        if head.status.code < 300 {
            self.hold = nil
            if !self.onlyReads { self.message = nil }
        } else {
            self.wait(Self.refusalTime) { [weak self] in
                guard let self, let head = self.head else { return }
                self.current?.cancel()
                self.owner.post(self, refusedWith: head, nil)
            }
        }
    }

    func heard(_ transfer: MCPTransfer) { self.owner.postSpoke(self) }

    func received(_ event: ServerSentEvent, of transfer: MCPTransfer) {
        guard self.isAccepted else { return }
        let data = event.data.flatMap { $0.readableBytes > 0 ? $0 : nil }
        self.stream.event(hasData: data != nil, id: event.isUnfinished ? nil : event.id, retry: event.retry)
        guard let data else { return }
        do {
            self.owner.post(self, said: try JSONText(validating: data), event: event.name)
        } catch {
            self.owner.post(self, saidUnreadable: data, reason: "\(error)", isWhole: false)
        }
    }

    private var isAccepted: Bool { self.isResuming || (self.head?.status.code ?? 0) < 300 }

    func ended(_ transfer: MCPTransfer, body: ByteBuffer?) {
        if !self.isAccepted, let head = self.head {
            self.stopWaiting()
            return self.owner.post(self, refusedWith: head, body)
        }
        if let body, !body.isBlank, self.request != nil, !self.isResuming { self.read(body) }
        let isBodiless = body?.isBlank ?? false
        self.over(.clean, isBodiless ? "it took the request and gave no answer" : "its stream ended without the answer")
    }

    private func read(_ body: ByteBuffer) {
        do {
            self.owner.post(self, said: try JSONText(validating: body), event: nil)
        } catch {
            self.owner.post(self, saidUnreadable: body, reason: "\(error)", isWhole: true)
        }
    }

    func failed(_ transfer: MCPTransfer, _ failure: HTTPFailure) {
        guard self.head != nil || self.isResuming else { return self.owner.post(self, failedWith: failure) }
        if !self.isAccepted, let head = self.head {
            self.stopWaiting()
            return self.owner.post(self, refusedWith: head, nil)
        }
        self.over(failure.isOfAnswer ? .gone : .cut, failure.description)
    }

    private func over(_ ending: Ending, _ reason: String) {
        if self.stream.isAnswered || self.isForgotten {
            self.stopWaiting()
            return self.owner.postOver(self)
        }
        self.owner.post(self, ended: ending, reason: reason)
    }
}

extension ByteBuffer {
    var isBlank: Bool { self.readableBytesView.allSatisfy { $0 == 0x20 || ($0 >= 0x09 && $0 <= 0x0D) } }
}

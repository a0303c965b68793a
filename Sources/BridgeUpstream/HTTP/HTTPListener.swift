import BridgeCore
import BridgeHTTPClient
import NIOCore
import NIOHTTP1

/// Hears of the stream of what a server says by itself, on the event loop.
protocol HTTPListenerOwner: AnyObject {
    func listen(after event: String?, to listener: HTTPListener) -> MCPTransfer
    func listenerBegan(_ listener: HTTPListener, _ head: HTTPResponseHead)
    func listenerSpoke(_ listener: HTTPListener)
    func listener(_ listener: HTTPListener, said message: JSONText)
    func listener(_ listener: HTTPListener, saidUnreadable bytes: ByteBuffer, reason: String)
    /// Nothing comes over it now; it may be asked for again.
    func listenerBroke(_ listener: HTTPListener, _ failure: HTTPFailure?)
    func listenerLostSession(_ listener: HTTPListener)
    /// Of the token that it would be asked for with; nil where there is none.
    var tokenGeneration: Int? { get }
    /// Whether an answer may yet come over it.
    func listenerIsWaitedFor(_ listener: HTTPListener) -> Bool
}

/// Keeps the stream of what a server says by itself open, as ``ListeningStream`` decides. Confined to its event loop.
final class HTTPListener {
    private let loop: any EventLoop
    private unowned let owner: any HTTPListenerOwner
    private var machine: ListeningStream
    private var transfer: MCPTransfer?
    private var timer: Scheduled<Void>?
    private var trial: Scheduled<Void>?
    private var hasSession = false
    /// Of the token that it was last asked for with.
    var generation: Int?

    /// - Parameter trial: how long a stream that is not promised may be of no use.
    init(loop: any EventLoop, owner: any HTTPListenerOwner, trial: TimeAmount = ListeningStream.trial) {
        self.loop = loop
        self.owner = owner
        self.machine = ListeningStream(trial: trial)
    }

    /// Whether something may still come over it.
    var isOpen: Bool { self.machine.isOpen }
    var hasWorked: Bool { self.machine.hasWorked }

    var isReading = true {
        didSet { self.transfer?.isReading = self.isReading }
    }

    /// - Parameter isPromised: whether the server says that it will have something to say.
    func begin(hasSession: Bool, isPromised: Bool) {
        self.stop()
        self.hasSession = hasSession
        self.perform(self.machine.begin(onTrialUntil: isPromised ? nil : .now() + self.machine.patience))
        self.watchTrial()
    }

    func end() {
        self.stop()
        self.machine.end()
        self.watchTrial()
    }

    /// It is of use.
    func passed() {
        self.perform(self.machine.passed(now: .now()))
        self.watchTrial()
    }

    /// A request is about to be sent, or there is another token.
    func wanted() {
        guard !self.isOpen else { return }
        let action = self.machine.wanted(
            now: .now(), hasOtherToken: self.owner.tokenGeneration != self.generation)
        guard action != .none else { return }
        self.perform(action)
        self.watchTrial()
    }

    private func watchTrial() {
        self.trial?.cancel()
        self.trial = nil
        guard let end = self.machine.trialEnd else { return }
        self.trial = self.loop.assumeIsolated().scheduleTask(deadline: end) { [weak self] in
            guard let self else { return }
            if self.machine.trialOver(isWaitedFor: self.owner.listenerIsWaitedFor(self), now: .now()) { self.stop() }
            self.watchTrial()
        }
    }

    private func stop() {
        self.timer?.cancel()
        self.timer = nil
        self.transfer?.cancel()
        self.transfer = nil
    }

    private func perform(_ action: ListeningStream.Action) {
        switch action {
        case .none: break
        case .open(let event):
            self.generation = self.owner.tokenGeneration
            self.transfer = self.owner.listen(after: event, to: self)
            self.transfer?.isReading = self.isReading
        case .wait(let until):
            self.timer = self.loop.assumeIsolated().scheduleTask(deadline: until) { [weak self] in
                guard let self else { return }
                self.perform(self.machine.delayOver(now: .now()))
            }
        case .sessionUnknown: self.owner.listenerLostSession(self)
        }
    }
}

extension HTTPListener: MCPTransferDelegate {
    func received(_ head: HTTPResponseHead, of transfer: MCPTransfer) {
        self.owner.listenerBegan(self, head)
        if head.status.code == 200, head.headers.mayBeEvents { return self.machine.opened(now: .now()) }
        transfer.cancel()
        self.transfer = nil
        let retryAfter = RetryAfter.seconds(head.headers, now: WallClock.seconds)
        self.perform(
            self.machine.refused(
                status: head.status.code, retryAfter: retryAfter, hasSession: self.hasSession, now: .now()))
        if !self.isOpen { self.owner.listenerBroke(self, nil) }
    }

    func heard(_ transfer: MCPTransfer) { self.owner.listenerSpoke(self) }

    func received(_ event: ServerSentEvent, of transfer: MCPTransfer) {
        self.machine.event(id: event.isUnfinished ? nil : event.id)
        guard let data = event.data, data.readableBytes > 0 else { return }
        if self.machine.trialEnd != nil { self.passed() }
        do {
            self.owner.listener(self, said: try JSONText(validating: data))
        } catch {
            self.owner.listener(self, saidUnreadable: data, reason: "\(error)")
        }
    }

    func ended(_ transfer: MCPTransfer, body: ByteBuffer?) { self.over(transfer, nil) }
    func failed(_ transfer: MCPTransfer, _ failure: HTTPFailure) { self.over(transfer, failure) }

    private func over(_ transfer: MCPTransfer, _ failure: HTTPFailure?) {
        guard transfer === self.transfer else { return }
        self.transfer = nil
        self.perform(self.machine.ended(retry: transfer.retry, now: .now()))
        self.owner.listenerBroke(self, failure)
    }
}

import BridgeCore
import BridgeLink
import BridgeLog
import BridgeProcess
import BridgeSession
import BridgeSupervisor
import BridgeSystemd
import Glibc
import Logging
import NIOCore

/// What a worker does, seen by the process around it. Confined to the event loop.
protocol RunningRole: AnyObject {
    /// What an administrator asks about tokens and the audit; `nil` where that is not the role's.
    var access: ((_ payload: ByteBuffer, _ done: @escaping (ByteBuffer) -> Void) -> Void)? { get }
    /// What is asked of an upstream's OAuth; `nil` where that is not the role's.
    var oauth: ((_ request: OAuthRequest, _ done: @escaping (OAuthAnswer) -> Void) -> Void)? { get }
    /// Opens or closes a place for browsers to come back to; `nil` where that is not the role's.
    var receive: ((_ port: Int, _ isOpen: Bool) -> EventLoopFuture<Void>)? { get }
    func reconfigure(_ frame: ByteBuffer) throws
    /// Takes nothing new, finishes what is in flight.
    func drain(within: Duration) -> EventLoopFuture<Void>
    /// Ends the role; the future succeeds when the process may exit.
    ///
    /// - Parameter abruptly: the supervisor is gone: nothing may be waited for.
    func stop(abruptly: Bool) -> EventLoopFuture<Void>
}

extension RunningRole {
    var access: ((ByteBuffer, @escaping (ByteBuffer) -> Void) -> Void)? { nil }
    var oauth: ((OAuthRequest, @escaping (OAuthAnswer) -> Void) -> Void)? { nil }
    var receive: ((Int, Bool) -> EventLoopFuture<Void>)? { nil }
}

/// What a role is made with.
struct RoleSurroundings {
    let sockets: [ListenSocket]
    let processes: ProcessThread
    let control: LinkConnection
    let loop: any EventLoop
    let logger: Logger
    /// To be called once the role serves.
    let ready: @Sendable () -> Void
    /// To be called when the role cannot go on.
    let failed: @Sendable (any Error) -> Void
}

/// The life of a worker process from its first configuration to its end. Confined to the event loop.
final class WorkerLife {
    typealias RoleMaker = (ByteBuffer, RoleSurroundings) throws -> any RunningRole

    private let sockets: [ListenSocket]
    private let processes: ProcessThread
    private let loop: any EventLoop
    private let finished: EventLoopPromise<Int32>
    private let logs: LogSystem
    private let logger: Logger
    /// To the supervisor.
    private let notifier: LoopNotifier
    private let watchdog: Duration?
    private let levelIsFixed: Bool
    private let makeRole: RoleMaker
    private let heap: HeapKeeper
    private var control: LinkConnection?
    private var role: (any RunningRole)?
    private var isEnding = false

    init(
        sockets: [ListenSocket], processes: ProcessThread, loop: any EventLoop, finished: EventLoopPromise<Int32>,
        logs: LogSystem, logger: Logger, environment: [String: String], makeRole: @escaping RoleMaker
    ) {
        self.sockets = sockets.filter { $0.name != "control" }
        self.processes = processes
        self.loop = loop
        self.finished = finished
        self.logs = logs
        self.logger = logger
        self.notifier = LoopNotifier(ServiceNotifier(environment: environment), on: loop)
        self.watchdog = Watchdog.interval(environment: environment)
        self.levelIsFixed = environment["MCP_BRIDGE_LOG_LEVEL"] != nil
        self.makeRole = makeRole
        self.heap = HeapKeeper(loop: loop)
        self.heap.start()
    }

    /// Takes the control link. Its end is the supervisor's, and this process's with it.
    func connect(_ descriptor: Int32) -> EventLoopFuture<Void> {
        LinkConnection.adopt(descriptor: descriptor, first: false, on: self.loop) { [weak self] link in
            self?.control = link
            link.onOpen = { exchange in
                if let self { self.serve(exchange) } else { exchange.cancel(reason: "stopping") }
            }
            link.onClose = { self?.end(abruptly: true) }
        }
    }

    private func serve(_ exchange: Exchange) {
        switch WorkerRequest(exchange.header) {
        case .configure:
            guard let frame = exchange.payload else { return exchange.cancel(reason: "no configuration") }
            exchange.end(header: WorkerAnswer(refusal: self.configure(frame)).text)
        case .drain(let milliseconds):
            exchange.delegate = AnswerWaiter { _ in }
            let drained =
                self.role?.drain(within: .milliseconds(milliseconds)) ?? self.loop.makeSucceededVoidFuture()
            drained.assumeIsolated().whenComplete { _ in exchange.end(header: WorkerAnswer.done) }
        case .memory:
            MemoryAnswer.give(to: exchange, self.processes, self.logs, on: self.loop)
        case .access:
            guard let access = self.role?.access, let payload = exchange.payload else {
                return exchange.cancel(reason: "not served")
            }
            exchange.delegate = AnswerWaiter { _ in }
            access(payload) { exchange.end(header: ControlAnswer(200).text, payload: $0) }
        case .oauth(let request):
            guard let oauth = self.role?.oauth else { return exchange.cancel(reason: "not served") }
            exchange.delegate = AnswerWaiter { _ in }
            oauth(request) { exchange.end(header: ControlAnswer(200).text, payload: $0.json.bytes) }
        case .receive(let port, let isOpen):
            guard let receive = self.role?.receive else { return exchange.cancel(reason: "not served") }
            exchange.delegate = AnswerWaiter { _ in }
            receive(port, isOpen).assumeIsolated().whenComplete { _ in exchange.end(header: WorkerAnswer.done) }
        case nil:
            exchange.cancel(reason: "unknown operation")
        }
    }

    /// Takes the first or a further configuration.
    ///
    /// - Returns: why it was refused.
    func configure(_ frame: ByteBuffer) -> String? {
        if !self.levelIsFixed,
            let level = JSONText(trusting: frame).string("logLevel").flatMap(Logger.Level.init(named:))
        {
            self.logs.level = level
        }
        do {
            if let role = self.role {
                try role.reconfigure(frame)
            } else {
                try self.begin(frame)
            }
            return nil
        } catch {
            self.logger.error("Configuration refused", metadata: ["error": "\(error)"])
            // Only what another start could not mend is worth giving up for; a disk may be full for a while.
            if self.role == nil {
                let isHopeless = error is DecodingError || error is SessionWorker.StartError
                self.exit(isHopeless ? WorkerLifecycle.doNotRestart : 1)
            }
            return "\(error)"
        }
    }

    private func begin(_ frame: ByteBuffer) throws {
        guard let control = self.control else { return }
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        let loop = self.loop
        self.role = try self.makeRole(
            frame,
            RoleSurroundings(
                sockets: self.sockets, processes: self.processes, control: control, loop: loop, logger: self.logger,
                ready: { loop.execute { bound.value.becameReady() } },
                failed: { error in loop.execute { bound.value.failed(error) } }
            )
        )
    }

    private func becameReady() {
        self.notifier.send(.ready)
        self.feedWatchdog()
    }

    /// A sign of life as long as the event loop turns, while it ends as well: that may take longer than the watchdog waits.
    private func feedWatchdog() {
        guard let interval = self.watchdog else { return }
        self.notifier.send(.watchdog)
        self.loop.assumeIsolated().scheduleTask(in: TimeAmount(interval / 3)) { [weak self] in self?.feedWatchdog() }
    }

    private func failed(_ error: any Error) {
        guard !self.isEnding else { return }
        self.logger.error("Worker failed", metadata: ["error": "\(error)"])
        self.exit(1)
    }

    // MARK: The end

    /// Asked to end: `SIGTERM`.
    func stop() {
        self.notifier.send(.stopping)
        self.end(abruptly: false)
    }

    private func end(abruptly: Bool) {
        if self.isEnding, !abruptly { return }
        self.isEnding = true
        guard let role = self.role else { return self.exit(0) }
        let stopped = role.stop(abruptly: abruptly)
        stopped.assumeIsolated().whenComplete { [weak self] _ in self?.exit(0) }
    }

    private var hasExited = false

    private func exit(_ code: Int32) {
        guard !self.hasExited else { return }
        self.hasExited = true
        self.finished.succeed(code)
    }
}

import BridgeCore
import BridgeFiles
import BridgeLink
import BridgeProcess
import BridgeSystemd
import Glibc
import Logging
import NIOCore

/// One worker of the service: its process, now this one and now that, and the sockets that outlive them.
///
/// Confined to the supervisor's event loop.
final class WorkerSlot {
    /// What all workers have in common.
    struct Surroundings {
        let processes: ProcessThread
        let loop: any EventLoop
        let logger: Logger
        /// Where workers say that they are ready.
        let notifySocket: String
        /// Their whole environment, but for what each start adds.
        let environment: [String: String]
        let watchdog: Duration
    }

    let role: WorkerRole
    /// Given to every process of this worker, and kept open here in between.
    let sockets: [ListenSocket]
    /// The worker's configuration, as the frame that it is sent.
    private(set) var configuration: ByteBuffer
    /// What the worker last said of itself.
    private(set) var status: JSONText?
    private(set) var control: LinkConnection?
    /// Where the process takes further descriptors (``DescriptorPassing``), if its role has use for any; -1 else.
    private(set) var passing: Int32 = -1
    private(set) var process: ProcessID?

    /// Whether its next process overwrites what it frees: tokens of servers go through its memory.
    var wipesMemory = false

    /// The worker opened an exchange that is not a status.
    var onRequest: ((Exchange) -> Void)?
    /// A process serves from now on.
    var onReady: (() -> Void)?
    /// Phase or status are others than before.
    var onChange: (() -> Void)?
    /// The process is gone; what it left behind may not be.
    var onExit: (() -> Void)?
    /// It will not be started again.
    var onLeft: (() -> Void)?

    private var lifecycle: WorkerLifecycle
    private var delay: Scheduled<Void>?
    private var watch: WorkerWatch?
    private let around: Surroundings
    private let started = SuspendingClock.now

    init(role: WorkerRole, sockets: [ListenSocket], configuration: ByteBuffer, _ around: Surroundings) {
        self.role = role
        self.lifecycle = WorkerLifecycle(policy: role.restartPolicy)
        self.sockets = sockets
        self.configuration = configuration
        self.around = around
    }

    var phase: WorkerLifecycle.Phase { self.lifecycle.phase }
    var restarts: Int { self.lifecycle.restarts }

    // MARK: Life

    func start() { self.perform(self.lifecycle.start()) }

    /// Asks the process to end: `SIGTERM`, for it to finish what it does.
    func stop() {
        if self.lifecycle.stop() {
            if let process = self.process { self.around.processes.signal(process, SIGTERM) }
        } else {
            self.left()
        }
    }

    /// Ends the process at once.
    func kill() {
        if let process = self.process { self.around.processes.signal(process, SIGKILL) }
    }

    /// Takes another configuration by way of a new process, which does not count as a failure.
    func replace(_ configuration: ByteBuffer) {
        self.configuration = configuration
        if self.lifecycle.replace() {
            if let process = self.process { self.around.processes.signal(process, SIGTERM) }
        } else {
            self.perform(self.lifecycle.start())
        }
        self.onChange?()
    }

    private var now: Duration { SuspendingClock.now - self.started }

    private func perform(_ action: WorkerLifecycle.Action) {
        switch action {
        case .spawn:
            self.delay?.cancel()
            self.spawn()
        case .restart(let delay):
            self.delay = self.around.loop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { [weak self] in
                guard let self else { return }
                self.perform(self.lifecycle.delayIsOver())
            }
        case .leave:
            self.left()
        case .none:
            break
        }
    }

    private func left() {
        self.onLeft?()
        self.onLeft = nil
    }

    private func spawn() {
        let pair: SocketPair
        do throws(SystemCallError) { pair = try SocketPair.make() } catch { return self.failedToStart("\(error)") }
        let passing = self.makePassing()
        var specification = SpawnSpecification(
            // What runs now, even if the file has been replaced by an upgrade.
            executable: "/proc/self/exe",
            environment: self.around.environment,
            descriptors: [-1, STDERR_FILENO, STDERR_FILENO] + self.sockets.map(\.descriptor)
                + [passing, pair.second].compactMap(\.self)
        )
        specification.arguments = ["mcp-bridge", "worker"] + self.role.arguments
        specification.addsListenPID = true
        let names = self.sockets.map(\.name) + (passing == nil ? [] : ["passing"]) + ["control"]
        specification.environment["LISTEN_FDS"] = "\(names.count)"
        specification.environment["LISTEN_FDNAMES"] = names.joined(separator: ":")
        specification.environment["NOTIFY_SOCKET"] = self.around.notifySocket
        specification.environment["WATCHDOG_USEC"] = "\(self.around.watchdog.wholeMicroseconds)"
        if self.wipesMemory { specification.environment["GLIBC_TUNABLES"] = ProcessSecrecy.wipingTunables }
        let bound = NIOLoopBound(self, eventLoop: self.around.loop)
        let loop = self.around.loop
        self.around.processes.spawn(
            specification,
            onStart: { result in
                close(pair.second)
                if let passing { close(passing) }
                loop.execute { bound.value.spawned(result, control: pair.first) }
            },
            onExit: { status in loop.execute { bound.value.exited(status) } }
        )
    }

    /// The worker's end of a new pair; `nil` where it has no use for one, or there cannot be one: then no sign-in comes back
    /// by way of this machine, and everything else works.
    private func makePassing() -> Int32? {
        self.closePassing()
        guard self.role == .http, let pair = try? SocketPair.make(nonblocking: true) else { return nil }
        self.passing = pair.first
        return pair.second
    }

    private func closePassing() {
        if self.passing >= 0 { close(self.passing) }
        self.passing = -1
    }

    private func failedToStart(_ reason: String) {
        self.around.logger.error(
            "Worker cannot be started", metadata: self.role.metadata(["error": "\(reason)"])
        )
        self.perform(self.lifecycle.exited(code: nil, at: self.now, draw: .random(in: 0..<1)))
        self.onChange?()
    }

    private func spawned(_ result: Result<ProcessID, SpawnError>, control: Int32) {
        switch result {
        case .failure(let error):
            close(control)
            self.failedToStart("\(error)")
        case .success(let process):
            self.process = process
            self.watch = WorkerWatch(startedAt: self.now, interval: self.around.watchdog)
            self.around.logger.debug("Worker started", metadata: self.role.metadata(["pid": "\(process)"]))
            // Asked to stop while it was being started.
            if self.lifecycle.phase == .stopping { self.around.processes.signal(process, SIGTERM) }
            LinkConnection.adopt(descriptor: control, first: true, on: self.around.loop) { [weak self] link in
                self?.connected(link)
            }.whenFailure { [around, role] error in
                around.logger.error("Worker cannot be reached", metadata: role.metadata(["error": "\(error)"]))
                // Without its control link it ends by itself, and is started again.
            }
            self.onChange?()
        }
    }

    private func connected(_ link: LinkConnection) {
        self.control = link
        link.onOpen = { [weak self] exchange in
            guard let self else { return exchange.cancel(reason: "stopping") }
            guard WorkerReport(exchange.header) == .status else {
                if let onRequest = self.onRequest { onRequest(exchange) } else { exchange.cancel(reason: "not served") }
                return
            }
            self.status = exchange.payload.map { JSONText(trusting: $0) }
            exchange.end(header: .emptyObject)
            self.onChange?()
        }
        link.onClose = { [weak self, weak link] in
            if let self, self.control === link { self.control = nil }
        }
        self.sendConfiguration { _ in }
    }

    private func exited(_ status: ExitStatus) {
        var code: Int32?
        if case .exited(let exitCode) = status { code = exitCode }
        let wasWanted = self.lifecycle.phase == .stopping
        self.around.logger.log(
            level: wasWanted ? .debug : .warning, "Worker ended",
            metadata: self.role.metadata(["pid": "\(self.process?.pid ?? 0)", "status": "\(status)"])
        )
        self.process = nil
        self.watch = nil
        self.status = nil
        self.control?.close()
        self.control = nil
        self.closePassing()
        let action = self.lifecycle.exited(code: code, at: self.now, draw: .random(in: 0..<1))
        if self.lifecycle.phase == .failed {
            self.around.logger.error("Worker fails again and again", metadata: self.role.metadata())
        }
        self.onExit?()
        self.perform(action)
        self.onChange?()
    }

    // MARK: Configuration

    /// Takes another configuration; a running process is told, one that waits to be started again is started with it.
    ///
    /// - Parameter done: called once, with the reason where the process refused it. One that ended before it had answered
    ///   did not: the next one begins with it.
    func configure(_ configuration: ByteBuffer, _ done: @escaping (_ refusal: String?) -> Void) {
        if self.phase.startsForAnotherConfiguration, configuration != self.configuration {
            self.replace(configuration)
            done(nil)
        } else {
            self.configuration = configuration
            self.sendConfiguration(done)
        }
    }

    private func sendConfiguration(_ done: @escaping (_ refusal: String?) -> Void) {
        guard let control = self.control else { return done(nil) }
        control.ask(header: WorkerRequest.configure.text, payload: self.configuration) { [around, role] answer in
            guard case .ended(let header, _) = answer, let refusal = WorkerAnswer(header)?.refusal else {
                return done(nil)
            }
            around.logger.error("Worker refuses its configuration", metadata: role.metadata(["error": "\(refusal)"]))
            done(refusal)
        }
    }

    // MARK: Signs of life

    /// A notification that the kernel says came from this worker's process.
    func notified(_ notification: NotifyReceiver.Notification) {
        if notification.isReady {
            self.lifecycle.ready(at: self.now)
            self.watch?.ready(at: self.now)
            self.onReady?()
            self.onChange?()
        }
        if notification.isWatchdog { self.watch?.sign(at: self.now) }
        if notification.isStopping { self.watch?.stopping(at: self.now) }
    }

    /// The supervisor itself stood still: what it missed is held against nobody.
    func resumed() { self.watch?.resumed(at: self.now) }

    /// To be called every second.
    func checkHealth() {
        guard let process = self.process, let verdict = self.watch?.check(at: self.now), verdict != .well else {
            return
        }
        self.around.logger.error(
            "Worker hangs", metadata: self.role.metadata(["pid": "\(process)", "signal": "\(verdict)"])
        )
        self.around.processes.signal(process, verdict == .abort ? SIGABRT : SIGKILL)
    }
}

package import BridgeConfiguration
import BridgeCore
import BridgeLink
package import BridgeProcess
package import BridgeSystemd
import Glibc
package import Logging
package import NIOCore

/// The service's first process: starts the workers, keeps them alive, reports, and ends them.
///
/// It touches no byte of a client. Confined to its event loop; every method is called there.
package final class Supervisor {
    /// What it was started with.
    package struct Environment: Sendable {
        package var processes: ProcessThread
        package var notifier: ServiceNotifier
        /// The interval of systemd's watchdog over this process, if there is one.
        package var watchdog: Duration?
        /// Of the workers' own sockets; private to this user.
        package var runtimeDirectory: String
        /// The environment that workers get.
        package var workerEnvironment: [String: String]
        package var sockets: PublicSockets
        package var version: String
        /// How clients reach the front, for `/health`.
        package var transport: String
        /// Sets this process's own log level, which a reload may change.
        package var setLogLevel: @Sendable (ConfiguredLogLevel) -> Void
        /// How many records of this process's own log were dropped.
        package var droppedRecords: @Sendable () -> UInt64

        package init(
            processes: ProcessThread,
            notifier: ServiceNotifier,
            watchdog: Duration?,
            runtimeDirectory: String,
            workerEnvironment: [String: String],
            sockets: PublicSockets,
            version: String,
            transport: String = "streamable-http",
            setLogLevel: @escaping @Sendable (ConfiguredLogLevel) -> Void,
            droppedRecords: @escaping @Sendable () -> UInt64
        ) {
            self.processes = processes
            self.notifier = notifier
            self.watchdog = watchdog
            self.runtimeDirectory = runtimeDirectory
            self.workerEnvironment = workerEnvironment
            self.sockets = sockets
            self.version = version
            self.transport = transport
            self.setLogLevel = setLogLevel
            self.droppedRecords = droppedRecords
        }
    }

    let environment: Environment
    let loop: any EventLoop
    let logger: Logger
    let source: any DeploymentSource
    var deployment: Deployment
    var slots: [WorkerRole: WorkerSlot] = [:]
    /// Upstreams that are being let go.
    var leaving: [WorkerSlot] = []
    var controlListener: LinkListener?
    let survey = MemorySurvey()
    /// Where browsers come back to on this machine.
    let receivers = SignInReceivers()
    let signIns = SignInOutcomes()
    var changeInProgress: PendingChange?
    /// Whether the configuration, or a change of it, is being read or written beside this loop.
    var isAtFiles = false
    /// Reloads whose processes are not yet as they should be.
    var settling: [PendingChange] = []
    var isStopping = false
    private(set) var isReady = false
    let onFinished: (Int32) -> Void
    var exitCode: Int32 = 0
    let notifications: NotifyReceiver
    private var statusIsDue = false
    private var lastStatus = ""
    private var heartbeat = Heartbeat()
    /// To the process above: systemd.
    let notifier: LoopNotifier
    let startedAt = SuspendingClock.now

    /// - Parameter onFinished: called once when everything has ended, with the exit code.
    package init(
        environment: Environment,
        deployment: Deployment,
        source: any DeploymentSource,
        loop: any EventLoop,
        logger: Logger,
        onFinished: @escaping (Int32) -> Void
    ) throws {
        self.environment = environment
        self.deployment = deployment
        self.source = source
        self.loop = loop
        self.logger = logger
        self.onFinished = onFinished
        self.notifier = LoopNotifier(environment.notifier, on: loop)
        self.notifications = try NotifyReceiver(path: environment.runtimeDirectory + "/notify")
    }

    // MARK: Start

    package func start() throws {
        self.listenToNotifications()
        let sessionSocket = try self.bindWorkerSocket(self.deployment.front.sessionSocket)
        try self.startSlot(.session, [sessionSocket], WorkerConfigurationCoding.encode(self.deployment.session))
        try self.startSlot(
            .http, self.environment.sockets.front, WorkerConfigurationCoding.encode(self.deployment.front)
        )
        for upstream in self.deployment.upstreams { self.tryToStart(upstream) }
        self.logTroubles()
        self.serveControlSocket()
        self.tick()
        self.feedWatchdog()
    }

    private func bindWorkerSocket(_ path: String) throws -> ListenSocket {
        ListenSocket(name: "link", descriptor: try UnixListener.bind(path: path, mode: 0o600))
    }

    func startUpstream(_ upstream: Deployment.Upstream) throws {
        let socket = try self.bindWorkerSocket(upstream.socket)
        try self.startSlot(
            .upstream(upstream.configuration.name), [socket], WorkerConfigurationCoding.encode(upstream.configuration),
            wipesMemory: upstream.holdsTokens
        )
    }

    private func startSlot(
        _ role: WorkerRole, _ sockets: [ListenSocket], _ configuration: ByteBuffer, wipesMemory: Bool = false
    ) throws {
        let slot = WorkerSlot(
            role: role, sockets: sockets, configuration: configuration,
            WorkerSlot.Surroundings(
                processes: self.environment.processes, loop: self.loop, logger: self.logger,
                notifySocket: self.notifications.path, environment: self.environment.workerEnvironment,
                watchdog: .seconds(10)
            )
        )
        // Only the front speaks for others, and of what they may ask, the front has seen to that.
        if role == .http { slot.onRequest = { [weak self] in self?.serve($0, fromFront: true) } }
        if role == .session { slot.onRequest = { [weak self] in self?.serveSession($0) } }
        slot.onChange = { [weak self] in self?.workerChanged() }
        if role == .http { slot.onReady = { [weak self] in self?.openReceiversAgain() } }
        slot.onExit = { [weak self] in self?.sweep(after: role) }
        slot.wipesMemory = wipesMemory
        self.slots[role] = slot
        slot.start()
    }

    private func listenToNotifications() {
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        let receiver = self.notifications
        let loop = self.loop
        self.environment.processes.watch(descriptor: receiver.descriptor) {
            // Read on the thread that waits, so that the descriptor is not readable any more when it waits again.
            let received = receiver.receive()
            guard !received.isEmpty else { return }
            loop.execute { bound.value.notified(received) }
        }
    }

    private func notified(_ received: [NotifyReceiver.Notification]) {
        for notification in received {
            let sender = (Array(self.slots.values) + self.leaving).first { $0.process?.pid == notification.pid }
            sender?.notified(notification)
        }
    }

    // MARK: Every second

    private func tick() {
        self.loop.assumeIsolated().scheduleTask(in: TimeAmount(self.heartbeat.interval)) { [weak self] in self?.tick() }
        let lateness = self.heartbeat.beat(at: SuspendingClock.now - self.startedAt)
        if let lateness {
            self.logger.warning("The supervisor stood still", metadata: ["lateness": "\(lateness)"])
        }
        for step in Heartbeat.steps(after: lateness) { self.perform(step) }
        if self.isStopping { self.notifier.send(.extendTimeout(.seconds(10))) }
        self.checkPendingChanges()
    }

    private func perform(_ step: Heartbeat.Step) {
        let slots = Array(self.slots.values) + self.leaving
        switch step {
        case .readNotifications: self.notified(self.notifications.receive(limit: 1_024))
        case .renewWatches: for slot in slots { slot.resumed() }
        case .checkWorkers: for slot in slots { slot.checkHealth() }
        }
    }

    func checkPendingChanges() {
        self.changeInProgress?.check()
        for pending in self.settling { pending.check() }
        self.settling.removeAll(where: \.isDone)
    }

    /// `WATCHDOG=1` says that this loop turns; a worker in trouble never withholds it. Five times in an interval, so that a
    /// process which was stopped for seven of its ten seconds is not taken for one that hangs.
    private func feedWatchdog() {
        guard let interval = self.environment.watchdog else { return }
        self.notifier.send(.watchdog)
        self.loop.assumeIsolated().scheduleTask(in: TimeAmount(interval / 5)) { [weak self] in self?.feedWatchdog() }
    }

    // MARK: Report

    private func workerChanged() {
        if self.giveUpIfHopeless() { return }
        if !self.isReady, self.slots[.http]?.phase == .ready, self.slots[.session]?.phase == .ready {
            self.isReady = true
            self.notifier.send(.ready, .status(self.summary().text))
            self.storeSockets()
            self.logger.notice(
                "mcp-bridge listening",
                metadata: [
                    "addresses": "\(self.environment.sockets.addresses().joined(separator: ", "))",
                    "mcp.path": "\(self.deployment.front.mcpPath)",
                    "upstreams": "\(self.deployment.upstreams.map(\.configuration.name).joined(separator: ", "))",
                ]
            )
        }
        self.checkPendingChanges()
        guard !self.statusIsDue else { return }
        self.statusIsDue = true
        // At most ten times a second: a flapping upstream is not worth more.
        self.loop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { [weak self] in
            self?.statusIsDue = false
            self?.report()
        }
    }

    /// Without the front or the session worker there is no service: when one of them says that another start would not
    /// help, the whole ends, for the service manager to see.
    private func giveUpIfHopeless() -> Bool {
        guard !self.isStopping, [WorkerRole.http, .session].contains(where: { self.slots[$0]?.phase == .refused })
        else {
            return false
        }
        self.logger.critical("The service cannot work with its configuration or state; ending")
        self.exitCode = WorkerLifecycle.doNotRestart
        self.stop()
        return true
    }

    func report() {
        let text = self.summary().text
        guard self.isReady, text != self.lastStatus else { return }
        self.lastStatus = text
        self.notifier.send(.status(text))
    }

    /// Sockets that this process bound itself survive a restart in systemd's store: no client is ever refused.
    private func storeSockets() {
        let sockets = self.environment.sockets
        self.notifier.post(sockets.obsolete.sorted().map { .removeStored(name: $0) })
        for name in Set(sockets.bound.map(\.name)).sorted() {
            let stored = PublicSockets.storeName(of: name)
            let descriptors = sockets.bound.filter { $0.name == name }.map(\.descriptor)
            self.notifier.post([.removeStored(name: stored)])
            do throws(SystemdError) {
                self.notifier.post(try ServiceNotifier.Notice.storing(name: stored, descriptors, polled: false))
            } catch {
                self.logger.error(
                    "A socket cannot be kept over a restart", metadata: ["name": "\(name)", "error": "\(error)"])
            }
        }
    }
}

import BridgeConfiguration
import BridgeCore
import BridgeFiles
import BridgeLink
import BridgeLog
import BridgeProcess
import BridgeSupervisor
import BridgeSystemd
import CNIOLinux
import FoundationEssentials
import Glibc
import Logging
import NIOCore
import NIOPosix

/// Puts the service together: what it was started with, its configuration, its logging and its supervisor.
struct ServiceHost {
    let start: BridgeStart

    /// The exit code when another bridge has the state directory (`EX_TEMPFAIL`): it may be gone at the next attempt.
    private static let stateIsInUse: Int32 = 75

    /// Runs the service until it is stopped.
    ///
    /// - Returns: the exit code.
    func run() -> Int32 {
        do {
            return try self.serve()
        } catch let refused as ConfigurationBook.Refused {
            self.complain("startup failed", refused.description)
            self.waitIfSocketsRetry("configuration refused: \(refused.description)")
            return WorkerLifecycle.doNotRestart
        } catch let held as FolderLock.Held {
            self.complain("startup failed", held.description)
            self.waitIfSocketsRetry(held.description)
            return Self.stateIsInUse
        } catch {
            self.complain("startup failed", "\(error)")
            return 1
        }
    }

    private func serve() throws -> Int32 {
        let given = ProcessInfo.processInfo.environment
        try self.start.demandConfiguration(given)
        let passed = self.start.pipes == nil ? try ListenSockets.take() : []
        let limit = try DescriptorLimit.raise()
        let places = try ServicePlaces(environment: given, start: self.start)
        defer { places.remove() }
        var environment = places.environment
        // A client's program is nobody's service, whatever its client is.
        let notifier = ServiceNotifier(environment: self.start.pipes == nil ? environment : [:])
        let watchdog = Watchdog.interval(environment: self.start.pipes == nil ? environment : [:])
        let keys = [("sealing", places.state.sealingKey), ("token", places.state.tokenKey)]
        let openKeys = keys.map { key in (key, Result { try PrivateFile.tighten(key.1) }) }
        let group = self.start.pipes == nil ? Self.takeDelegatedGroup() : .success(nil)
        var start = self.start
        let guarded = start.guarded?.decide(for: places)
        if let guarded { (start.settings.listen, start.control) = ([guarded.listen], guarded.control) }
        let commands = ShortCommands()
        let book = try places.openBook(
            start, originalLimit: limit.soft, cgroup: (try? group.get()) ?? nil, commands: commands)
        let settings = book.configuration.settings
        Self.apply(settings.log, to: &environment)
        self.start.apply(to: &environment)
        let logs = try LogBootstrap.start(
            environment: environment, worker: "supervisor",
            level: environment["MCP_BRIDGE_LOG_LEVEL"] == nil ? Logger.Level(named: settings.log.level.rawValue) : nil
        )
        defer { logs.stop() }
        let logger = Logger(label: "mcp-bridge.supervisor")
        book.logger = logger
        for warning in book.startWarnings { logger.warning("Configuration", metadata: ["finding": "\(warning)"]) }
        if !places.isHeld {
            logger.warning(
                "The file system of the state directory has no locks: nothing keeps a second bridge from using it",
                metadata: ["path": "\(places.state.directory)"])
        }
        for (key, wasOpen) in openKeys { Self.report(wasOpen, of: key, to: logger) }
        if case .failure(let error) = group {
            logger.warning(
                "The delegated control group cannot be used; limits are not enforced", metadata: ["error": "\(error)"])
        }
        let sockets = try PublicSockets.acquire(
            passed: passed, listen: settings.listen, directory: places.socketDirectory,
            control: start.control, own: self.start.pipes == nil ? nil : places.ownSocket
        )
        if let words = guarded?.words { logger.warning("\(words)") }
        if guarded != nil {
            let timeout = settings.chat.timeout.map { "\($0.rawValue)" } ?? "none"
            logger.debug("An answer is waited for so many seconds", metadata: ["timeout": "\(timeout)"])
        }
        for name in sockets.unusable {
            logger.warning("A socket that was passed does not listen; it is closed", metadata: ["name": "\(name)"])
        }
        let levelIsFixed = environment["MCP_BRIDGE_LOG_LEVEL"] != nil
        let processes = try ProcessThread.start(logger: logger, sparing: commands)
        try Subreaper.enable()
        let surroundings = Supervisor.Environment(
            processes: processes, notifier: notifier, watchdog: watchdog, runtimeDirectory: places.runDirectory,
            workerEnvironment: WorkerEnvironment.make(from: environment), sockets: sockets, version: BridgeVersion.text,
            transport: self.start.transport,
            setLogLevel: { level in
                guard !levelIsFixed, let level = Logger.Level(named: level.rawValue) else { return }
                logs.level = level
            },
            droppedRecords: { logs.droppedRecords }
        )
        let front = self.start.pipes.map { pipes in
            PipeFront.Plan(
                pipes: pipes, socket: places.ownSocket, isSource: self.start.isClientSource,
                farewell: self.start.farewell)
        }
        return try Self.supervise(surroundings, book: book, front: front, logger: logger)
    }

    private static func supervise(
        _ environment: Supervisor.Environment, book: sending ConfigurationBook, front plan: PipeFront.Plan?,
        logger: Logger
    ) throws -> Int32 {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let finished = loop.makePromise(of: Int32.self)
        let signals = try environment.processes.signals([SIGTERM, SIGINT, SIGHUP])
        let handedOver = NIOLoopBoundBox.makeBoxSendingValue(book, eventLoop: loop)
        let supervisor = try loop.submit {
            let supervisor = try Supervisor(
                environment: environment, deployment: handedOver.value.deployment(), source: handedOver.value,
                loop: loop, logger: logger, onFinished: { finished.succeed($0) }
            )
            try supervisor.start()
            return NIOLoopBound(supervisor, eventLoop: loop)
        }.wait()
        let front = try plan.map { try PipeFront.start($0, logger: Logger(label: "mcp-bridge.stdio")) }
        front?.ended.whenComplete { _ in loop.execute { supervisor.value.stop() } }
        let listening = loop.run {
            for await signal in signals {
                loop.execute {
                    switch signal {
                    case SIGHUP: supervisor.value.reloadBySignal()
                    default:
                        let name = signal == SIGINT ? "SIGINT" : "SIGTERM"
                        // The client's session ends first, and with it the calls that it waits for.
                        front?.leave()
                        loop.scheduleTask(in: front == nil ? .zero : .seconds(2)) { supervisor.value.stop(by: name) }
                    }
                }
            }
        }
        _ = listening
        let code = try finished.futureResult.wait()
        front?.finish()
        return code
    }

    /// A service whose key an administrator has given another owner must start all the same.
    private static func report(_ wasOpen: Result<Bool, any Error>, of key: (String, String), to logger: Logger) {
        let (name, path) = key
        switch wasOpen {
        case .success(false): break
        case .success(true):
            logger.warning(
                "The \(name) key could be read by others, who may know it; its mode is 0600 now. Remove the file for a new key",
                metadata: ["path": "\(path)"]
            )
        case .failure(let error):
            logger.warning(
                "The \(name) key can be read by others, and its mode cannot be changed",
                metadata: ["path": "\(path)", "error": "\(error)"]
            )
        }
    }

    /// Moves this process into a leaf of the group that systemd delegated, so that upstreams can have leaves beside it.
    ///
    /// - Returns: its directory; nil where none was delegated.
    private static func takeDelegatedGroup() -> Result<String?, any Error> {
        guard case .delegated(let group) = Cgroup.ownDelegation() else { return .success(nil) }
        return Result {
            try group.makeChild(Cgroup.supervisorLeaf).enter()
            _ = group.delegateControllers()
            return group.directory
        }
    }

    /// The environment is how workers learn where to log.
    private static func apply(_ log: LogFileSettings, to environment: inout [String: String]) {
        guard let path = log.path else { return }
        environment["MCP_BRIDGE_LOG_PATH"] = path
        environment["MCP_BRIDGE_LOG_MAX_BYTES"] = "\(log.maximumBytes)"
        environment["MCP_BRIDGE_LOG_BACKUPS"] = "\(log.backups)"
    }

    /// A client's connection that waits in a socket unit starts the service again at once, and twenty starts in a minute
    /// take the sockets down for good. So a process that systemd passed sockets ends slowly enough for the limit never to be
    /// reached: the sockets stay, and the first start after the file is mended serves.
    ///
    /// A client's program is none: that its client is one says nothing of it.
    private func waitIfSocketsRetry(_ reason: String) {
        guard self.start.pipes == nil, getenv("INVOCATION_ID") != nil else { return }
        ServiceNotifier().send(.status(String(reason.prefix { $0 != "\n" })))
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT] { sigaddset(&signals, number) }
        // These are blocked, so that being asked to stop ends the wait.
        var patience = timespec(tv_sec: 4, tv_nsec: 0)
        _ = sigtimedwait(&signals, nil, &patience)
    }

    /// Before there is a logger, standard error is the only place; systemd carries it to the journal.
    private func complain(_ what: String, _ why: String) {
        let name = self.start.logs.lines == .gateway ? "ERROR: mcp_gateway.main" : "mcp-bridge"
        for line in why.split(separator: "\n") { StandardStreams.error("\(name): \(what): \(line)\n") }
    }
}

import BridgeCore
import BridgeLink
import BridgeLog
import BridgeProcess
import BridgeSupervisor
import BridgeSystemd
import FoundationEssentials
import Glibc
import Logging
import NIOCore
import NIOPosix

/// Puts the service together: what it was started with, its configuration, its logging and its supervisor.
struct ServiceHost {
    let configFlag: String?

    private static let configurationAtFault: Int32 = 78

    /// Runs the service until it is stopped.
    ///
    /// - Returns: the exit code.
    func run() -> Int32 {
        do {
            return try self.serve()
        } catch let refused as ConfigurationBook.Refused {
            Self.complain("startup failed", refused.description)
            return Self.configurationAtFault
        } catch {
            Self.complain("startup failed", "\(error)")
            return 1
        }
    }

    private func serve() throws -> Int32 {
        var environment = ProcessInfo.processInfo.environment
        let passed = try ListenSockets.take()
        let notifier = ServiceNotifier(environment: environment)
        let watchdog = Watchdog.interval(environment: environment)
        let limit = try DescriptorLimit.raise()
        let places = try ServicePlaces(environment: environment)
        let book = try places.openBook(
            configFlag: self.configFlag, environment: environment, originalLimit: limit.soft,
            cgroup: Self.takeDelegatedGroup()
        )
        let settings = book.configuration.settings
        Self.apply(settings.log, to: &environment)
        let logs = try LogBootstrap.start(
            environment: environment, worker: "supervisor",
            level: Logger.Level(rawValue: environment["MCP_BRIDGE_LOG_LEVEL"] ?? "")
        )
        defer { logs.stop() }
        let logger = Logger(label: "mcp-bridge.supervisor")
        book.logger = logger
        for warning in book.startWarnings { logger.warning("Configuration", metadata: ["finding": "\(warning)"]) }
        let sockets = try PublicSockets.acquire(
            passed: passed, listen: settings.listen, directory: places.socketDirectory
        )
        let processes = try ProcessThread.start(logger: logger)
        try Subreaper.enable()
        let surroundings = Supervisor.Environment(
            processes: processes, notifier: notifier, watchdog: watchdog, runtimeDirectory: places.runDirectory,
            workerEnvironment: WorkerEnvironment.make(from: environment), sockets: sockets, version: BridgeVersion.text
        )
        let code = try Self.supervise(surroundings, book: book, logger: logger)
        places.remove()
        return code
    }

    private static func supervise(
        _ environment: Supervisor.Environment, book: ConfigurationBook, logger: Logger
    ) throws -> Int32 {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let finished = loop.makePromise(of: Int32.self)
        let signals = try environment.processes.signals([SIGTERM, SIGINT, SIGHUP])
        // Made here, used on the loop alone from now on.
        nonisolated(unsafe) let handedOver = book
        let supervisor = try loop.submit {
            let supervisor = try Supervisor(
                environment: environment, deployment: handedOver.deployment(), source: handedOver, loop: loop,
                logger: logger, onFinished: { finished.succeed($0) }
            )
            try supervisor.start()
            return NIOLoopBound(supervisor, eventLoop: loop)
        }.wait()
        let listening = loop.run {
            for await signal in signals {
                loop.execute {
                    switch signal {
                    case SIGHUP: try? supervisor.value.reload { _ in }
                    default: supervisor.value.stop()
                    }
                }
            }
        }
        _ = listening
        return try finished.futureResult.wait()
    }

    /// Moves this process into a leaf of the group that systemd delegated, so that upstreams can have leaves beside it.
    private static func takeDelegatedGroup() -> String? {
        guard case .delegated(let group) = Cgroup.ownDelegation() else { return nil }
        do {
            try group.makeChild(Cgroup.supervisorLeaf).enter()
            _ = group.delegateControllers()
            return group.directory
        } catch {
            return nil
        }
    }

    /// The environment is how workers learn where to log.
    private static func apply(_ log: BridgeCore.LogSettings, to environment: inout [String: String]) {
        if environment["MCP_BRIDGE_LOG_LEVEL"] == nil { environment["MCP_BRIDGE_LOG_LEVEL"] = log.level.rawValue }
        guard let path = log.path else { return }
        environment["MCP_BRIDGE_LOG_PATH"] = path
        environment["MCP_BRIDGE_LOG_MAX_BYTES"] = "\(log.maximumBytes)"
        environment["MCP_BRIDGE_LOG_BACKUPS"] = "\(log.backups)"
    }

    /// Before there is a logger, standard error is the only place; systemd carries it to the journal.
    private static func complain(_ what: String, _ why: String) {
        for line in why.split(separator: "\n") {
            FileHandleText.standardError("mcp-bridge: \(what): \(line)\n")
        }
    }
}

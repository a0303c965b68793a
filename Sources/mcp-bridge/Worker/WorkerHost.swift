import BridgeCore
import BridgeFiles
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

/// What all worker processes have in common: sockets and control link from the supervisor, configuration by frame,
/// readiness and signs of life back, an orderly end.
struct WorkerHost {
    let role: Worker.Role
    let name: String?
    let configFrame: String?

    /// Runs the worker until it is asked to end, or its supervisor is gone.
    ///
    /// - Returns: the exit code.
    func run() -> Int32 {
        let environment = ProcessInfo.processInfo.environment
        do {
            let sockets = try ListenSockets.take()
            let title = self.name.map { "upstream@\($0)" } ?? self.role.rawValue
            let logs = try LogBootstrap.start(environment: environment, worker: title)
            defer { logs.stop() }
            let process = WorkerProcess(
                role: self.role, sockets: sockets, logs: logs, environment: environment,
                logger: Logger(label: "mcp-bridge.\(self.role.rawValue)")
            )
            return try process.run(frame: try self.frame())
        } catch {
            StandardStreams.error("mcp-bridge worker \(self.role.rawValue): \(error)\n")
            return 1
        }
    }

    private func frame() throws -> ByteBuffer? {
        guard let path = self.configFrame else { return nil }
        return try WholeFile.readIfPresent(path, limit: Frame.maximumPayload).map { ByteBuffer(bytes: $0) }
    }
}

/// One running worker process.
private struct WorkerProcess: Sendable {
    let role: Worker.Role
    let sockets: [ListenSocket]
    let logs: LogSystem
    let environment: [String: String]
    let logger: Logger

    func run(frame: ByteBuffer?) throws -> Int32 {
        let processes = try ProcessThread.start(logger: self.logger)
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        let finished = loop.makePromise(of: Int32.self)
        let life = try loop.submit {
            NIOLoopBound(
                WorkerLife(
                    sockets: self.sockets, processes: processes, loop: loop, finished: finished, logs: self.logs,
                    logger: self.logger, environment: self.environment,
                    makeRole: WorkerRoles.maker(for: self.role)
                ),
                eventLoop: loop
            )
        }.wait()
        if let control = self.sockets.first(where: { $0.name == "control" }) {
            try loop.flatSubmit { life.value.connect(control.descriptor) }.wait()
        } else {
            let pair = try SocketPair.make()
            try loop.flatSubmit {
                life.value.connect(pair.first).and(Self.supervisorInPlace(pair.second, loop)).map { _ in }
            }.wait()
        }
        if let frame { loop.execute { _ = life.value.configure(frame) } }
        let signals = try processes.signals([SIGTERM, SIGINT, SIGHUP])
        let listening = loop.run {
            for await signal in signals where signal != SIGHUP { loop.execute { life.value.stop() } }
        }
        _ = listening
        return try finished.futureResult.wait()
    }

    /// A worker run by hand has no supervisor: this one takes every report and answers nothing else.
    private static func supervisorInPlace(_ descriptor: Int32, _ loop: any EventLoop) -> EventLoopFuture<Void> {
        LinkConnection.adopt(descriptor: descriptor, first: true, on: loop) { link in
            link.onOpen = { exchange in
                if WorkerReport(exchange.header) == .status {
                    exchange.end(header: .emptyObject)
                } else {
                    exchange.cancel(reason: "there is no supervisor")
                }
            }
        }
    }
}

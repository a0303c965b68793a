import BridgeAccess
import BridgeConfiguration
import BridgeCore
import BridgeFront
import BridgeLink
import BridgeProcess
import BridgeSession
import BridgeStore
import BridgeSystemd
import BridgeUpstream
import NIOCore

/// The three roles, each made from its configuration.
enum WorkerRoles {
    static func maker(for role: Worker.Role) -> WorkerLife.RoleMaker {
        switch role {
        case .http: FrontRole.make
        case .session: SessionRole.make
        case .upstream: UpstreamRole.make
        }
    }

    struct SocketMissing: Error, CustomStringConvertible {
        let description = "the socket to serve was not passed"
    }
}

private final class FrontRole: RunningRole {
    private let worker: FrontWorker
    private let database: AccessDatabase?
    private let loop: any EventLoop
    /// Where further descriptors come from.
    private let passing: Int32?
    /// Succeeds when every connection is closed.
    private let served: EventLoopFuture<Void>

    private init(
        _ worker: FrontWorker, _ database: AccessDatabase?, _ around: RoleSurroundings, served: EventLoopFuture<Void>
    ) {
        self.worker = worker
        self.database = database
        self.loop = around.loop
        self.passing = around.sockets.first { $0.name == "passing" }?.descriptor
        self.served = served
    }

    static func make(_ frame: ByteBuffer, _ around: RoleSurroundings) throws -> any RunningRole {
        let configuration = try Self.configuration(frame)
        let key = configuration.tokenKey.flatMap { TokenKey(base64: $0.value) }
        let database = key.flatMap { key in
            configuration.database.map { AccessDatabase(path: $0, mark: key.mark) }
        }
        let worker = FrontWorker(
            configuration: configuration,
            listeners: around.sockets.compactMap { socket in
                FrontListener.Name(rawValue: socket.name).map {
                    FrontListener(name: $0, descriptor: socket.descriptor)
                }
            },
            control: around.control, stores: key.flatMap { key in database.map { FrontStores(key: key, store: $0) } },
            loop: around.loop, logger: around.logger
        )
        let ready = around.ready
        let served = around.loop.run { try await worker.run(ready: ready) }
        served.whenFailure(around.failed)
        return FrontRole(worker, database, around, served: served)
    }

    var access: ((ByteBuffer, @escaping (ByteBuffer) -> Void) -> Void)? {
        { [worker] payload, done in worker.access(payload, done) }
    }

    var receive: ((Int, Bool) -> EventLoopFuture<Void>)? {
        { [worker, passing, loop] port, isOpen in
            guard isOpen else { return worker.endReceiving(on: port) }
            let descriptors = passing.map { DescriptorPassing.receive(from: $0) } ?? []
            return EventLoopFuture.andAllSucceed(descriptors.map { worker.receive($0) }, on: loop)
        }
    }

    func reconfigure(_ frame: ByteBuffer) throws {
        self.worker.reconfigure(try Self.configuration(frame))
    }

    private static func configuration(_ frame: ByteBuffer) throws -> FrontConfiguration {
        try WorkerConfigurationCoding.decode(FrontConfiguration.self, from: frame)
    }

    func drain(within limit: Duration) -> EventLoopFuture<Void> {
        self.worker.drain(within: limit)
        return self.served
    }

    func stop(abruptly: Bool) -> EventLoopFuture<Void> {
        guard !abruptly else { return self.loop.makeSucceededVoidFuture() }
        let database = self.database
        let loop = self.loop
        return self.drain(within: .seconds(1)).flatMap {
            let closed = loop.makePromise(of: Void.self)
            if let database { database.close { closed.succeed() } } else { closed.succeed() }
            return closed.futureResult
        }
    }
}

private final class SessionRole: RunningRole {
    private let worker: SessionWorker
    private let loop: any EventLoop

    private init(_ worker: SessionWorker, loop: any EventLoop) {
        self.worker = worker
        self.loop = loop
    }

    static func make(_ frame: ByteBuffer, _ around: RoleSurroundings) throws -> any RunningRole {
        guard let socket = around.sockets.first else { throw WorkerRoles.SocketMissing() }
        let worker = try SessionWorker(
            configuration: try WorkerConfigurationCoding.decode(SessionConfiguration.self, from: frame),
            control: around.control, loop: around.loop, logger: around.logger
        )
        let started = worker.start(listener: socket.descriptor)
        started.whenSuccess(around.ready)
        started.whenFailure(around.failed)
        return SessionRole(worker, loop: around.loop)
    }

    func reconfigure(_ frame: ByteBuffer) throws {
        self.worker.reconfigure(try WorkerConfigurationCoding.decode(SessionConfiguration.self, from: frame))
    }

    func drain(within: Duration) -> EventLoopFuture<Void> { self.loop.makeSucceededVoidFuture() }

    func stop(abruptly: Bool) -> EventLoopFuture<Void> {
        abruptly ? self.loop.makeSucceededVoidFuture() : self.worker.stop()
    }
}

private final class UpstreamRole: RunningRole {
    private let worker: UpstreamWorker
    private let loop: any EventLoop

    private init(_ worker: UpstreamWorker, loop: any EventLoop) {
        self.worker = worker
        self.loop = loop
    }

    static func make(_ frame: ByteBuffer, _ around: RoleSurroundings) throws -> any RunningRole {
        guard let socket = around.sockets.first else { throw WorkerRoles.SocketMissing() }
        let worker = UpstreamWorker(
            configuration: try WorkerConfigurationCoding.decode(UpstreamConfiguration.self, from: frame),
            listener: socket.descriptor, processes: around.processes, loop: around.loop, control: around.control,
            logger: around.logger
        )
        let ready = around.ready
        around.loop.run { try await worker.run(ready: ready) }.whenFailure(around.failed)
        return UpstreamRole(worker, loop: around.loop)
    }

    var oauth: ((OAuthRequest, @escaping (OAuthAnswer) -> Void) -> Void)? {
        { [worker] request, done in worker.oauth(request, done) }
    }

    func reconfigure(_ frame: ByteBuffer) throws {
        self.worker.reconfigure(try WorkerConfigurationCoding.decode(UpstreamConfiguration.self, from: frame))
    }

    func drain(within: Duration) -> EventLoopFuture<Void> { self.loop.makeSucceededVoidFuture() }

    /// Abruptly: every process of the tree is killed, and gone within a second.
    func stop(abruptly: Bool) -> EventLoopFuture<Void> {
        let worker = self.worker
        if abruptly { worker.stopNow() }
        return self.loop.run { await worker.stop(within: abruptly ? .zero : .seconds(6)) }
    }
}

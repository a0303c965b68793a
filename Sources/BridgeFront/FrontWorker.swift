package import BridgeCore
package import BridgeLink
import Glibc
import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTPTypesHTTP1
import NIOPosix

/// The front: HTTP on the listening sockets it was given, MCP through the session worker, the rest through the supervisor.
///
/// Everything runs on one event loop. All but ``run(ready:)`` is called on that loop, ``init`` included.
package final class FrontWorker: Sendable {
    let state: NIOLoopBound<FrontState>
    private let responder: FrontResponder
    private let listeners: [FrontListener]
    private let servers: NIOLoopBound<Servers>
    private let logger: Logger

    /// The listening sockets' channels, once there are any.
    private final class Servers {
        var channels: [any Channel] = []
        var isDraining = false
        var deadline: Scheduled<Void>?
    }

    /// - Parameters:
    ///   - listeners: owned by the worker from ``run(ready:)`` on.
    ///   - control: to the supervisor; answers what the session worker cannot. It stays the caller's to close.
    package init(
        configuration: FrontConfiguration,
        listeners: [FrontListener],
        control: LinkConnection,
        loop: any EventLoop,
        logger: Logger
    ) {
        let state = FrontState(configuration: configuration, control: control, loop: loop, logger: logger)
        self.state = NIOLoopBound(state, eventLoop: loop)
        self.responder = FrontResponder(state)
        self.listeners = listeners
        self.servers = NIOLoopBound(Servers(), eventLoop: loop)
        self.logger = logger
    }

    /// Serves until it has been drained.
    ///
    /// - Parameter ready: called when every listener accepts.
    /// - Throws: when a listener cannot be served. The listeners are closed then.
    package func run(ready: @escaping @Sendable () -> Void) async throws {
        let loop = self.state.eventLoop
        try await withTaskExecutorPreference(LoopExecutor(loop)) {
            self.state.value.session.start()
            let doors = try await self.openAll()
            if self.servers.value.isDraining { self.closeListeners() }
            ready()
            try await withThrowingDiscardingTaskGroup { group in
                for door in doors { group.addTask { try await self.serve(door) } }
            }
            self.servers.value.deadline?.cancel()
            self.state.value.session.close()
        }
    }

    /// Stops accepting, lets requests under way finish and ends event streams. ``run(ready:)`` returns when all
    /// connections are closed; those that are still open after `time` are closed as they are.
    package func drain(within time: Duration) {
        let state = self.state.value
        guard !self.servers.value.isDraining else { return }
        self.servers.value.isDraining = true
        self.closeListeners()
        state.table.drain()
        self.servers.value.deadline = state.loop.assumeIsolated().scheduleTask(in: TimeAmount(time)) {
            state.table.closeAll()
        }
    }

    /// Takes over hosts, origins, peers, limits and intervals. Socket paths and the MCP path are those of the start.
    package func reconfigure(_ configuration: FrontConfiguration) { self.state.value.reconfigure(configuration) }

    private func closeListeners() {
        for channel in self.servers.value.channels { channel.close(promise: nil) }
    }

    // MARK: Connections

    /// A connection that was taken in.
    private enum Accepted: Sendable {
        case served(HTTP1Channel, HTTP1Channel.Value)
        case refused
    }

    private func openAll() async throws -> [NIOAsyncChannel<Accepted, Never>] {
        var doors: [NIOAsyncChannel<Accepted, Never>] = []
        for (index, listener) in self.listeners.enumerated() {
            do {
                doors.append(try await self.open(listener))
                self.servers.value.channels = doors.map(\.channel)
            } catch {
                self.closeListeners()
                for left in self.listeners[(index + 1)...] { close(left.descriptor) }
                throw error
            }
        }
        return doors
    }

    /// The kernel caps it at `net.core.somaxconn`.
    private static let backlog: Int32 = 4_096

    private func open(_ listener: FrontListener) async throws -> NIOAsyncChannel<Accepted, Never> {
        // Binding listens again, with NIO's own backlog of 128; afterwards ours is set anew.
        defer { listen(listener.descriptor, Self.backlog) }
        return try await ServerBootstrap(group: self.state.eventLoop)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .bind(listener.descriptor) { channel in
                switch listener.name {
                case .http:
                    return self.accept(channel, listener.name, userID: nil)
                case .local:
                    return PeerCredentials.userID(of: channel).flatMap {
                        self.accept(channel, listener.name, userID: $0)
                    }
                }
            }
    }

    private func accept(
        _ channel: any Channel, _ door: FrontListener.Name, userID: UInt32?
    ) -> EventLoopFuture<Accepted> {
        let state = self.state.value
        switch state.table.admit() {
        case .admitted: break
        case .refused:
            return channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(BusyHandler(state.table))
                return .refused
            }
        case .dropped:
            channel.close(promise: nil)
            return channel.eventLoop.makeSucceededFuture(.refused)
        }
        let connection = ClientConnection(door: door, userID: userID, table: state.table, date: state.date)
        state.table.add(connection)
        if state.table.isDraining { connection.drain() }
        return self.install(NIOLoopBound(connection, eventLoop: state.loop), on: channel, state.configuration.limits)
    }

    private func install(
        _ connection: NIOLoopBound<ClientConnection>, on channel: any Channel, _ limits: FrontLimits
    ) -> EventLoopFuture<Accepted> {
        let responder = self.responder
        let http = HTTP1Channel(
            responder: { request, writer, _ in try await responder.respond(to: request, on: connection, writer) },
            configuration: .init(
                additionalChannelHandlers: [connection.value],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.maximumHeaderBytes,
                    maxHeaderListSize: limits.maximumHeaderBytes,
                    maxHeaderFieldCount: 256
                )
            )
        )
        return http.setup(channel: channel, logger: self.logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(FirstByteHandler(connection.value), position: .first)
            let codec = try pipeline.context(handlerType: HTTP1ToHTTPServerCodec.self)
            try pipeline.addHandler(RequestLineHandler(connection.value), position: .before(codec.handler))
            return .served(http, value)
        }
    }

    private func serve(_ door: NIOAsyncChannel<Accepted, Never>) async throws {
        let logger = self.logger
        try await door.executeThenClose { accepted in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in accepted {
                    guard case .served(let http, let value) = connection else { continue }
                    group.addTask { await http.handle(value: value, logger: logger) }
                }
            }
        }
    }
}

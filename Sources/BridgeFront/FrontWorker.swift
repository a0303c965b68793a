package import BridgeConfiguration
import BridgeCore
package import BridgeLink
import Glibc
import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1
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
        var areClosed = false
        var deadline: Scheduled<Void>?
        /// By their ports: where browsers come back to.
        var receivers: [Int: any Channel] = [:]
    }

    /// - Parameters:
    ///   - listeners: owned by the worker from ``run(ready:)`` on.
    ///   - control: to the supervisor; answers what the session worker cannot. It stays the caller's to close.
    ///   - stores: tokens and audit; without them there are none.
    package init(
        configuration: FrontConfiguration,
        listeners: [FrontListener],
        control: LinkConnection,
        stores: FrontStores? = nil,
        loop: any EventLoop,
        logger: Logger
    ) {
        let state = FrontState(
            configuration: configuration, control: control, stores: stores, loop: loop, logger: logger)
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
            let state = self.state.value
            state.session.start()
            state.tokenBook.start()
            // Whoever comes meanwhile waits in the backlog: a good token must not be refused because it is early.
            try await state.tokenBook.isSettled.get()
            state.audit.start()
            let (joined, arrivals) = AsyncStream.makeStream(of: RouterHalf.Joined.self)
            state.router = RouterHalf(self.responder, arrivals: arrivals)
            state.table.onEmpty = { self.finishWhenEmpty() }
            try await self.openAll()
            if self.servers.value.isDraining { self.closeListeners() }
            ready()
            let logger = self.logger
            await withDiscardingTaskGroup { group in
                for await connection in joined {
                    group.addTask { await connection.http.handle(value: connection.channel, logger: logger) }
                }
            }
            self.state.value.table.onEmpty = nil
            self.state.value.router = nil
            guard self.servers.value.isDraining else { throw ListenerLost() }
            self.servers.value.deadline?.cancel()
            self.state.value.ends.close()
            self.state.value.session.close()
            self.state.value.tokenBook.close()
            self.state.value.limits.giveBack()
            try? await self.state.value.audit.close().get()
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
        state.tokenBook.drain()
        self.servers.value.deadline = state.loop.assumeIsolated().scheduleTask(in: TimeAmount(time)) {
            state.table.closeAll()
        }
    }

    /// Takes over all but the paths of sockets and files and the MCP path, which are those of the start.
    package func reconfigure(_ configuration: FrontConfiguration) { self.state.value.reconfigure(configuration) }

    private func closeListeners() {
        for channel in self.servers.value.channels { channel.close(promise: nil) }
        for channel in self.servers.value.receivers.values { channel.close(promise: nil) }
    }

    // MARK: Connections

    /// The listening sockets are gone, and nobody asked for it.
    private struct ListenerLost: Error, CustomStringConvertible {
        let description = "the listening sockets were closed"
    }

    private func openAll() async throws {
        var doors: [any Channel] = []
        for (index, listener) in self.listeners.enumerated() {
            do {
                doors.append(try await self.open(listener))
                self.servers.value.channels = doors
            } catch {
                self.closeListeners()
                for left in self.listeners[(index + 1)...] { close(left.descriptor) }
                throw error
            }
        }
        EventLoopFuture.andAllComplete(doors.map(\.closeFuture), on: self.state.eventLoop)
            .whenComplete { _ in
                self.servers.value.areClosed = true
                self.finishWhenEmpty()
            }
    }

    /// Ends ``run(ready:)`` when there is no connection any more, and none can come.
    private func finishWhenEmpty() {
        let state = self.state.value
        guard self.servers.value.areClosed, state.table.count == 0 else { return }
        // In a later turn: what the last request tells the session worker leaves before the link is closed.
        state.loop.assumeIsolated().execute { state.router?.finish() }
    }

    /// The kernel caps it at `net.core.somaxconn`.
    private static let backlog: Int32 = 4_096

    private func open(_ listener: FrontListener) async throws -> any Channel {
        let channel = try await self.bind(listener).get()
        // A socket that was passed may be anybody's to reach, whatever the configuration says.
        if listener.name == .http, channel.localAddress.flatMap({ IPAddress($0) })?.isLoopback == false {
            self.state.value.isPublic = true
        }
        return channel
    }

    /// Takes requests of browsers that come back from a sign-in.
    ///
    /// - Parameter descriptor: listening on this machine; the worker owns it.
    package func receive(_ descriptor: Int32) -> EventLoopFuture<Void> {
        let servers = self.servers
        return self.bind(FrontListener(name: .receiver, descriptor: descriptor)).assumeIsolated().map { channel in
            guard let port = channel.localAddress?.port, !servers.value.isDraining else {
                return channel.close(promise: nil)
            }
            servers.value.receivers.updateValue(channel, forKey: port)?.close(promise: nil)
        }.nonisolated()
    }

    /// Takes none there any more. Succeeds when the port is free.
    package func endReceiving(on port: Int) -> EventLoopFuture<Void> {
        guard let channel = self.servers.value.receivers.removeValue(forKey: port) else {
            return self.state.eventLoop.makeSucceededVoidFuture()
        }
        return channel.close()
    }

    private func bind(_ listener: FrontListener) -> EventLoopFuture<any Channel> {
        ServerBootstrap(group: self.state.eventLoop)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause())
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelInitializer { channel in
                switch listener.name {
                case .http, .own, .receiver:
                    return self.accept(channel, listener.name, userID: nil)
                case .local:
                    return PeerCredentials.userID(of: channel).flatMap {
                        self.accept(channel, listener.name, userID: $0)
                    }
                }
            }
            .withBoundSocket(listener.descriptor)
            .map { channel in
                // Binding has listened again, with NIO's own backlog of 128.
                listen(listener.descriptor, Self.backlog)
                return channel
            }
    }

    private func accept(
        _ channel: any Channel, _ door: FrontListener.Name, userID: UInt32?
    ) -> EventLoopFuture<Void> {
        let state = self.state.value
        return channel.eventLoop.makeCompletedFuture {
            switch state.table.admit() {
            case .admitted:
                let connection = ClientConnection(door: door, userID: userID, state: state)
                try Self.install(connection, on: channel, state.configuration.limits)
                state.table.add(connection)
                if state.table.isDraining { connection.drain() }
            case .refused: try channel.pipeline.syncOperations.addHandler(BusyHandler(state.table))
            case .dropped: channel.close(promise: nil)
            }
        }
    }

    private static func install(
        _ connection: ClientConnection, on channel: any Channel, _ limits: FrontLimits
    ) throws {
        var parser = NIOHTTPDecoderLimitConfiguration()
        parser.maxHeaderFieldSize = limits.maximumHeaderBytes
        parser.maxHeaderListSize = limits.maximumHeaderBytes
        parser.maxHeaderFieldCount = 256
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(FirstByteHandler(connection))
        try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: parser)))
        try pipeline.addHandler(connection)
    }
}

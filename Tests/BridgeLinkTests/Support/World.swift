import BridgeCore
import BridgeLink
import Logging
import NIOCore
import NIOPosix

/// A dialler and a listener on one socket path, both on one event loop, and everyone who talks over them.
///
/// Confined to the loop; a test reaches it through ``LoopBench``.
final class World {
    let loop: any EventLoop
    let folder: TemporaryFolder
    let dialer: LinkDialer
    private(set) var listener: LinkListener?
    /// The links that the listener accepted and that are still there.
    private(set) var accepted: [LinkConnection] = []
    /// The dialler's link, once and again.
    private(set) var dialled: LinkConnection?
    private(set) var timesConnected = 0
    private(set) var timesLost = 0
    /// Who talks at the listener's side, in the order in which their exchanges opened.
    private(set) var served: [Talker] = []
    /// Who talks at the dialler's side, by a name that the test gives.
    var talkers: [String: Talker] = [:]
    var links: [String: LinkConnection] = [:]
    /// What the listener's side does with an exchange, beside remembering it.
    var onServed: ((Exchange, Talker) -> Void)?
    var notes: [String] = []
    /// Room for large payloads at the listener's side; counted by the member `who` of their header.
    var gate: PayloadGate?

    private var waiters: [(predicate: (World) -> Bool, promise: EventLoopPromise<Void>)] = []

    init(loop: any EventLoop, folder: TemporaryFolder) {
        self.loop = loop
        self.folder = folder
        self.dialer = LinkDialer(path: folder.file("s"), loop: loop, logger: Logger(label: "test"))
        self.dialer.onConnected = { [weak self] link in
            self?.dialled = link
            self?.timesConnected += 1
            self?.changed()
        }
        self.dialer.onLost = { [weak self] in
            self?.timesLost += 1
            self?.changed()
        }
    }

    /// Begins to accept; the listener owns the descriptor.
    func listen(_ socket: RawSocket) -> EventLoopFuture<Void> {
        LinkListener.listen(descriptor: socket.descriptor, on: self.loop) { [weak self] link in
            self?.accept(link)
        }.assumeIsolated().map { self.listener = $0 }.nonisolated()
    }

    private func accept(_ link: LinkConnection) {
        self.accepted.append(link)
        link.onOpen = { [weak self] exchange in self?.serve(exchange) }
        if let gate = self.gate { link.admission = LinkAdmission(gate: gate) { $0.string("who") ?? "" } }
        link.onClose = { [weak self, weak link] in
            self?.accepted.removeAll { $0 === link }
            self?.changed()
        }
        self.changed()
    }

    func serve(_ exchange: Exchange) {
        let talker = self.talker()
        talker.takes(exchange)
        exchange.delegate = talker
        self.served.append(talker)
        self.onServed?(exchange, talker)
        self.changed()
    }

    func talker() -> Talker { Talker { [weak self] in self?.changed() } }

    /// Opens an exchange from the dialler's side.
    @discardableResult
    func open(_ name: String, _ header: String = "{}", payload: ByteBuffer? = nil) -> Exchange {
        let talker = self.talker()
        self.talkers[name] = talker
        let exchange = self.dialer.open(
            header: JSONText(trusting: ByteBuffer(string: header)), payload: payload, delegate: talker
        )
        talker.takes(exchange)
        return exchange
    }

    /// Who talks in the exchange that opened as number `index`; one who has heard nothing while there is no such.
    func server(_ index: Int) -> Talker { index < self.served.count ? self.served[index] : self.talker() }

    func talker(_ name: String) -> Talker { self.talkers[name] ?? self.talker() }

    func closeListener() {
        self.listener?.close()
        self.listener?.closeConnections()
        self.listener = nil
    }

    func close() {
        self.dialer.close()
        self.closeListener()
        for link in self.links.values { link.close() }
        for waiter in self.waiters { waiter.promise.fail(ChannelError.ioOnClosedChannel) }
        self.waiters = []
    }

    func changed() {
        let waiters = self.waiters
        self.waiters = []
        for waiter in waiters {
            if waiter.predicate(self) { waiter.promise.succeed() } else { self.waiters.append(waiter) }
        }
    }

    func until(_ predicate: @escaping (World) -> Bool) -> EventLoopFuture<Void> {
        if predicate(self) { return self.loop.makeSucceededVoidFuture() }
        let promise = self.loop.makePromise(of: Void.self)
        self.waiters.append((predicate, promise))
        let limit = self.loop.scheduleTask(in: .seconds(60)) { promise.fail(NeverHappened()) }
        promise.futureResult.whenComplete { _ in limit.cancel() }
        return promise.futureResult
    }
}

/// Runs a test's steps on the event loop that its world lives on.
struct LoopBench: Sendable {
    let loop: any EventLoop
    let folder: TemporaryFolder
    private let world: NIOLoopBound<World>

    /// Makes a world with a listener, unless told otherwise, and takes it down after `body`.
    static func with(
        listening: Bool = true, dialling: Bool = true, _ body: (LoopBench) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let folder = try TemporaryFolder()
        let loop = group.next()
        let bench = LoopBench(
            loop: loop, folder: folder,
            world: try await loop.submit { NIOLoopBound(World(loop: loop, folder: folder), eventLoop: loop) }.get()
        )
        do {
            if listening { try await bench.listen() }
            if dialling { try await bench.run { $0.dialer.start() } }
            try await body(bench)
        } catch {
            try await bench.run { $0.close() }
            try await group.shutdownGracefully()
            throw error
        }
        try await bench.run { $0.close() }
        try await group.shutdownGracefully()
    }

    func listen(_ socket: RawSocket? = nil) async throws {
        let socket = try socket ?? RawSocket.listening(at: self.folder.file("s"))
        let world = self.world
        try await self.loop.flatSubmit { world.value.listen(socket) }.get()
    }

    func run(_ body: @escaping @Sendable (World) throws -> Void) async throws {
        let world = self.world
        try await self.loop.submit { try body(world.value) }.get()
    }

    func value<Value: Sendable>(_ body: @escaping @Sendable (World) throws -> Value) async throws -> Value {
        let world = self.world
        return try await self.loop.submit { try body(world.value) }.get()
    }

    func flatRun<Value: Sendable>(_ body: @escaping @Sendable (World) -> EventLoopFuture<Value>) async throws -> Value {
        let world = self.world
        return try await self.loop.flatSubmit { body(world.value) }.get()
    }

    /// Waits, without sleeping, for something that the talkers or the links are told of.
    func until(_ predicate: @escaping @Sendable (World) -> Bool) async throws {
        let world = self.world
        try await self.loop.flatSubmit { world.value.until(predicate) }.get()
    }
}

/// What a test waited for did not come about within a minute.
struct NeverHappened: Error {}

extension ByteBuffer {
    /// A JSON string of this many bytes, quotes included, that differs with `seed` all along.
    static func jsonString(octets: Int, seed: Int = 0) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: octets)
        buffer.writeInteger(UInt8(ascii: "\""))
        var block: [UInt8] = []
        var state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        for _ in 0..<4_093 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            block.append(UInt8(ascii: "a") + UInt8(truncatingIfNeeded: state >> 33) % 26)
        }
        var rest = max(0, octets - 2)
        while rest > 0 {
            buffer.writeBytes(block.prefix(rest))
            rest -= min(rest, block.count)
        }
        buffer.writeInteger(UInt8(ascii: "\""))
        return buffer
    }
}

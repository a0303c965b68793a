import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

@testable import BridgeSession

/// A session worker between a front, upstream workers and a supervisor that the test plays. Confined to the loop; a test
/// reaches it through ``SessionBench``.
final class Scene {
    let loop: any EventLoop
    let folder: TemporaryFolder
    let socket: ListeningSocket
    private(set) var upstreams: [String: FakeUpstream] = [:]
    private(set) var worker: SessionWorker?
    private var front: LinkDialer
    /// Links between front and worker so far.
    private(set) var timesConnected = 0
    private(set) var clients: [String: Client] = [:]
    private(set) var chats: [String: ChatClient] = [:]
    /// What the worker told the supervisor.
    private(set) var statuses: [String] = []
    /// What it asked of sign-ins, for the test to answer.
    private(set) var signIns: [(request: OAuthRequest, exchange: Exchange)] = []
    private var control: [LinkConnection] = []
    private var waiters: [(predicate: (Scene) -> Bool, promise: EventLoopPromise<Void>)] = []
    private var requests = 0

    init(loop: any EventLoop, folder: TemporaryFolder, socket: ListeningSocket, upstreams: [ListeningSocket]) {
        self.loop = loop
        self.folder = folder
        self.socket = socket
        self.front = LinkDialer(path: socket.path, loop: loop, logger: Logger(label: "test"))
        for socket in upstreams {
            let name = String(socket.path.split(separator: "/").last ?? "")
            self.upstreams[name] = FakeUpstream(name: name, socket: socket, loop: loop) { [weak self] in self?.changed()
            }
        }
    }

    func upstream(_ name: String = "s") -> FakeUpstream {
        guard let upstream = self.upstreams[name] else { preconditionFailure("the scene has no upstream \(name)") }
        return upstream
    }

    // MARK: The worker

    /// What the worker goes by, where a test wants it otherwise.
    var tables = SessionTables.standard
    var ledger = SessionLedger()

    func startWorker(_ configuration: SessionConfiguration) -> EventLoopFuture<Void> {
        self.loop.makeSucceededVoidFuture().assumeIsolated().flatMap {
            do {
                let (near, far) = try ListeningSocket.pair()
                let adopted = [(near, true), (far, false)].map { descriptor, isWorkers in
                    LinkConnection.adopt(descriptor: descriptor, first: isWorkers, on: self.loop) { link in
                        self.control.append(link)
                        link.onOpen = { [weak self] in self?.tell($0) }
                    }
                }
                return EventLoopFuture.andAllSucceed(adopted, on: self.loop).assumeIsolated().flatMap {
                    do {
                        let worker = try SessionWorker(
                            configuration: configuration, tables: self.tables, ledger: self.ledger,
                            control: self.control[self.control.count - 2], loop: self.loop,
                            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                        )
                        self.worker = worker
                        return worker.start(listener: self.socket.lend())
                    } catch {
                        return self.loop.makeFailedFuture(error)
                    }
                }.nonisolated()
            } catch {
                return self.loop.makeFailedFuture(error)
            }
        }.nonisolated()
    }

    /// The supervisor hears of something.
    private func tell(_ exchange: Exchange) {
        if case .oauth(_, let request) = ControlRequest(exchange.header) {
            exchange.delegate = AnswerWaiter { _ in }
            self.signIns.append((request, exchange))
        } else {
            self.statuses.append(exchange.payload.map { String(buffer: $0) } ?? "")
            exchange.end(header: .emptyObject)
        }
        self.changed()
    }

    func stopWorker() -> EventLoopFuture<Void> {
        guard let worker = self.worker else { return self.loop.makeSucceededVoidFuture() }
        self.worker = nil
        return worker.stop().assumeIsolated().map {
            for link in self.control { link.close() }
            self.control = []
        }.nonisolated()
    }

    // MARK: The front

    func startFront() {
        self.front.onConnected = { [weak self] _ in
            self?.timesConnected += 1
            self?.changed()
        }
        self.front.start()
    }

    /// The front's process ends and another takes its place: nothing that was open stays.
    func replaceFront() {
        self.front.close()
        self.front = LinkDialer(path: self.socket.path, loop: self.loop, logger: Logger(label: "test"))
        self.startFront()
    }

    /// Whether the front reads what the worker sends.
    var frontReads: Bool {
        get { self.front.isReading }
        set { self.front.isReading = newValue }
    }

    func request(
        _ name: String, _ operation: SessionRequest.Operation, body: String? = nil, session: String? = nil,
        principal: String = "local", names: String? = nil, lastEvent: String? = nil, binding: BindingNumber? = nil,
        scope: String? = nil, concurrency: Int? = nil, mayLend: Bool = false, isOwner: Bool = false
    ) {
        self.requests += 1
        let request = SessionRequest(
            operation, requestID: "request-\(self.requests)", sessionID: session, principal: principal,
            scope: scope, concurrency: concurrency, mayLend: mayLend, isOwner: isOwner, names: names,
            lastEventID: lastEvent, binding: binding
        )
        self.request(name, .whole(request), body: body)
    }

    func request(_ name: String, _ opening: SessionOpening, body: String?) {
        let client = Client { [weak self] in self?.changed() }
        self.clients[name] = client
        client.exchange = self.front.open(
            header: opening.text, payload: body.map { ByteBuffer(string: $0) }, delegate: client)
    }

    /// A request of a model API, under this name.
    func chat(_ name: String, _ opening: ChatOpening, _ params: String? = nil) {
        let client = ChatClient { [weak self] in self?.changed() }
        self.chats[name] = client
        client.exchange = self.front.open(
            header: opening.text, payload: params.map { ByteBuffer(string: $0) }, delegate: client)
    }

    func chat(_ name: String) -> ChatClient { self.chats[name] ?? ChatClient {} }

    func client(_ name: String) -> Client { self.clients[name] ?? Client {} }
    func answer(_ name: String) -> Answer { self.client(name).answer }

    // MARK: Waiting

    func changed() {
        let waiters = self.waiters
        self.waiters = []
        for waiter in waiters {
            if waiter.predicate(self) { waiter.promise.succeed() } else { self.waiters.append(waiter) }
        }
    }

    func until(_ predicate: @escaping (Scene) -> Bool) -> EventLoopFuture<Void> {
        if predicate(self) { return self.loop.makeSucceededVoidFuture() }
        let promise = self.loop.makePromise(of: Void.self)
        self.waiters.append((predicate, promise))
        let limit = self.loop.scheduleTask(in: .seconds(60)) { promise.fail(NeverHappened()) }
        promise.futureResult.whenComplete { _ in limit.cancel() }
        return promise.futureResult
    }

    func close() -> EventLoopFuture<Void> {
        self.front.close()
        for upstream in self.upstreams.values {
            upstream.die()
            upstream.socket.close()
        }
        self.socket.close()
        for waiter in self.waiters { waiter.promise.fail(ChannelError.ioOnClosedChannel) }
        self.waiters = []
        return self.stopWorker()
    }
}

/// What a test waited for did not come about within a minute.
struct NeverHappened: Error {}

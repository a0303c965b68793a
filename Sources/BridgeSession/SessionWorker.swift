package import BridgeConfiguration
import BridgeCore
package import BridgeLink
package import BridgeMCP
package import Logging
package import NIOCore

/// The worker that holds MCP's sessions: answers `initialize` and lists from the merged catalogue, leads each call to its
/// upstream and each answer back. It only puts its parts together.
///
/// The parts that calls pass have no weak references to them: each retain and release of what has one goes through a table
/// beside it, for good, which a call pays for dozens of times.
///
/// Confined to its event loop; every method is called there.
package final class SessionWorker {
    let sessions: SessionStore
    let directory: Directory
    let desk: CallDesk

    private let waiting: WaitingRoom
    private let resources: ResourceDirectory
    private let subscriptions: SubscriptionDesk
    private let tasks: TaskDesk
    let broker: ChatBroker
    private let router: Router
    private let records: SessionRecords
    let retention: Retention
    /// Room for bodies that are passed on, and answers on their way to the front.
    let gate: PayloadGate
    let answers: AnswerMeter
    private let stuck: StuckReaders
    private let status: StatusReport
    private let tables: SessionTables
    private let loop: any EventLoop
    private var listener: LinkListener?
    private var housekeeping: Scheduled<Void>?

    /// What the worker cannot start with.
    package enum StartError: Error, CustomStringConvertible {
        case badSealingKey
        package var description: String { "the sealing key is not 32 bytes in base64" }
    }

    /// Reads the state directory; blocks for that long. Serves nothing before ``start(listener:)``.
    ///
    /// - Parameter ledger: an empty one; what the journal says is put into it.
    package init(
        configuration: SessionConfiguration, tables: SessionTables = .standard, ledger: SessionLedger = SessionLedger(),
        control: LinkConnection, loop: any EventLoop, logger: Logger
    ) throws {
        let key = configuration.sealingKey.value
        guard let seal = SessionSeal(base64Key: key), let names = TaskNames(base64Key: key) else {
            throw StartError.badSealingKey
        }
        let files = StateFiles(
            journalPath: configuration.sessionJournalPath, cachePath: configuration.toolCachePath)
        let state = try files.load(into: ledger, offerings: tables.offerings, now: WallClock.seconds())
        self.loop = loop
        self.tables = tables
        self.gate = PayloadGate(limit: configuration.workerBytes, loop: loop)
        self.answers = AnswerMeter(limit: configuration.workerBytes, loop: loop)
        self.retention = Retention(loop: loop)
        let journal = JournalWriter(files: files, loop: loop)
        self.records = SessionRecords(state.ledger, journal: journal, loop: loop, logger: logger)
        self.sessions = SessionStore(
            seal: seal, records: self.records, retention: self.retention, configuration: configuration)
        self.directory = Directory(
            tables: tables, configuration: configuration, warm: state.cache, files: files, loop: loop, logger: logger)
        self.waiting = WaitingRoom(self.directory, loop: loop)
        self.resources = ResourceDirectory(self.directory)
        self.desk = CallDesk(
            self.directory, waiting: self.waiting, resources: self.resources, tables: tables,
            configuration: configuration, logger: logger)
        self.subscriptions = SubscriptionDesk(
            self.directory, resources: self.resources, desk: self.desk, sessions: self.sessions,
            held: self.records.topics)
        self.tasks = TaskDesk(
            self.directory, desk: self.desk, sessions: self.sessions, retention: self.retention, names: names,
            records: TaskRecords(state.tasks, journal: journal, logger: logger), configuration: configuration,
            loop: loop)
        self.broker = ChatBroker(self.sessions, configuration: configuration, logger: logger)
        self.router = Router(
            sessions: self.sessions, directory: self.directory, waiting: self.waiting, desk: self.desk,
            subscriptions: self.subscriptions, tasks: self.tasks, broker: self.broker, retention: self.retention,
            tables: tables,
            configuration: configuration, logger: logger
        )
        self.stuck = StuckReaders(loop: loop)
        self.status = StatusReport(on: control)
        self.connect(control)
    }

    /// What one part tells another.
    private func connect(_ control: LinkConnection) {
        self.stuck.readers = { [weak self] in self?.listener?.connections.flatMap(\.queued) ?? [] }
        self.desk.tasks = self.tasks
        let signIns = SignInDesk(on: control)
        signIns.tell = { [sessions] in sessions.session($1)?.tell(newest: $0) }
        self.desk.signIns = signIns
        self.records.further = { [tasks] in tasks.compacted }
        self.sessions.onLevel = { [directory] in directory.pass($0) }
        self.sessions.onEnd = { [waiting, tasks] in
            waiting.cancelAll(of: $0)
            tasks.cancelAll(of: $0)
        }
        self.sessions.onForget = { [subscriptions, resources, broker] in
            subscriptions.ended($0)
            resources.forget(session: $0)
            broker.ended($0)
        }
        self.sessions.onPresence = { [subscriptions, broker] in
            subscriptions.refresh($0)
            broker.look(at: $0)
        }
        self.sessions.owed = { [directory, subscriptions] identity in
            directory.changes(since: identity.claims.created, for: identity.view)
                + subscriptions.missed(by: identity.claims.number)
        }
        self.directory.onConnected = { [subscriptions] in subscriptions.connected($0) }
        self.directory.wantedLevel = { [sessions] in sessions.wantedLevel }
        self.directory.onChange = { [sessions] in sessions.tell($0) }
        self.directory.onNote = { [sessions, subscriptions, desk] note, upstream in
            if let done = desk.pageDone(note, from: upstream) {
                if let done { sessions.session(done.session)?.tell(done.message, orInCallsTo: upstream) }
                return
            }
            guard !subscriptions.take(note, from: upstream) else { return }
            sessions.tell(note, from: upstream)
        }
        self.directory.onOwnNote = { [sessions, desk] note, upstream, owner in
            if let done = desk.pageDone(note, from: upstream, for: owner) {
                if let done { sessions.session(done.session)?.tell(done.message, orInCallsTo: upstream) }
                return
            }
            sessions.tell(note, toOwner: owner, of: upstream)
        }
        self.directory.onTaskNote = { [tasks] in tasks.take($0, life: $1, from: $2) }
        self.directory.onNews = { [waiting] in
            waiting.look()
            signIns.look()
        }
        self.retention.onExcess = { [sessions] in sessions.boundMemory() }
        self.answers.onChange = { [directory, stuck] isFull in
            directory.isReading = !isFull
            stuck.changed(isFull: isFull)
        }
    }

    deinit { self.disconnect() }

    /// The parts hold one another for as long as the worker is there.
    private func disconnect() {
        self.records.further = nil
        self.sessions.disconnect()
        self.directory.disconnect()
        self.retention.onExcess = nil
        self.answers.onChange = nil
    }

    /// Begins to serve.
    ///
    /// - Parameter listener: the listening Unix socket that the front dials; owned by the worker from here on.
    package func start(listener: Int32) -> EventLoopFuture<Void> {
        self.directory.start()
        self.scheduleHousekeeping()
        return LinkListener.listen(descriptor: listener, on: self.loop) { [weak self] link in
            let bindings = ClientRequest.Bindings()
            guard let self else { return link.close() }
            link.onOpen = { [router = self.router] exchange in router.serve(exchange, bindings) }
            link.meter = self.answers
            link.admission = LinkAdmission(gate: self.gate, caller: Self.payer)
        }.assumeIsolated().map { self.listener = $0 }.nonisolated()
    }

    /// In whose name a payload is counted: the session's, of a request for a model the principal's.
    private static func payer(_ header: JSONText) -> String {
        if case .ask(let ask) = ChatOpening(header) { return ask.principal }
        return SessionRequest(header)?.sessionID ?? ""
    }

    /// Stops serving at once and writes what is unwritten. Calls in flight are the front's to answer.
    package func stop() -> EventLoopFuture<Void> {
        self.housekeeping?.cancel()
        self.stuck.changed(isFull: false)
        self.sessions.stop()
        self.listener?.close()
        self.listener?.closeConnections()
        return self.records.finish().and(self.directory.close().flatMapErrorThrowing { _ in }).map { _ in }
    }

    /// Takes a new configuration; calls under way go on.
    package func reconfigure(_ configuration: SessionConfiguration) {
        self.gate.limit = configuration.workerBytes
        self.answers.limit = configuration.workerBytes
        self.sessions.reconfigure(configuration)
        self.desk.reconfigure(configuration)
        self.tasks.reconfigure(configuration)
        self.broker.reconfigure(configuration)
        self.router.reconfigure(configuration)
        self.directory.reconfigure(configuration)
        self.subscriptions.reconfigured()
    }

    // MARK: Time

    private func scheduleHousekeeping() {
        self.housekeeping = self.loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
            self?.scheduleHousekeeping()
            self?.keepHouse()
        }
    }

    /// Everything that time brings about, every second. A test passes in the time.
    ///
    /// - Parameter time: in seconds since 1970; by it sessions expire.
    func keepHouse(now: NIODeadline = .now(), time: UInt64 = WallClock.seconds()) {
        self.desk.endOverdue(now: now)
        self.sessions.keepHouse(now: now, time: time)
        self.waiting.look()
        self.desk.signIns?.look(at: Int(clamping: time))
        self.tasks.keepHouse()
        self.broker.keepHouse(now: now)
        self.status.tell(
            sessions: self.sessions, directory: self.directory, desk: self.desk, broker: self.broker,
            retention: self.retention, offerings: self.tables.offerings
        )
    }
}

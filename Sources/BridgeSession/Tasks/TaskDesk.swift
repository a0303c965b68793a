import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// Tasks (2025-11-25, basic/utilities/tasks): who has which, what they are called on either side, and who hears of them.
///
/// A task is its principal's: it outlives the session that made it, and this worker. Confined to the event loop.
final class TaskDesk {
    let desk: CallDesk
    let names: TaskNames
    let records: TaskRecords
    let loop: any EventLoop
    private let directory: Directory
    private let sessions: SessionStore
    private let retention: Retention
    private(set) var configuration: SessionConfiguration
    /// How many tasks are being made, by principal.
    private var making: [String: Int] = [:]
    /// Tasks that run in the place of plain calls.
    private var drives: [TaskKey: TaskDrive] = [:]
    var pages: [ObjectIdentifier: TaskPage] = [:]
    private var seconds = 0

    init(
        _ directory: Directory, desk: CallDesk, sessions: SessionStore, retention: Retention, names: TaskNames,
        records: TaskRecords, configuration: SessionConfiguration, loop: any EventLoop
    ) {
        self.directory = directory
        self.desk = desk
        self.sessions = sessions
        self.retention = retention
        self.names = names
        self.records = records
        self.configuration = configuration
        self.loop = loop
    }

    deinit { self.desk.tasks = nil }

    func reconfigure(_ configuration: SessionConfiguration) { self.configuration = configuration }

    var compacted: ByteBuffer { self.records.compacted }

    /// Every second.
    func keepHouse() {
        self.seconds += 1
        if self.seconds % 60 == 0 { self.records.forgetExpired() }
    }

    /// What is declared to clients; nil where no server has tasks.
    var capability: JSONText? {
        let upstreams = self.directory.upstreams.filter(\.hasTasks)
        guard !upstreams.isEmpty else { return nil }
        let cancels = upstreams.contains {
            $0.capabilities == .emptyObject || $0.capabilities.value("tasks")?.member("cancel") != nil
        }
        return JSONWriter.object { tasks in
            tasks.memberObject("list") { _ in }
            if cancels { tasks.memberObject("cancel") { _ in } }
            tasks.memberObject("requests") { $0.memberObject("tools") { $0.memberObject("call") { _ in } } }
        }
    }

    func upstream(_ name: String) -> UpstreamLink? { self.directory.upstreams.first { $0.route.name == name } }

    // MARK: Calls of tools

    /// Takes a call that is to run as a task, or can only do so.
    ///
    /// - Returns: false for one whose server is to take it as it is.
    func take(_ request: PendingRequest, _ entry: Catalogue.Entry, along route: CallRoute, now: NIODeadline) -> Bool {
        let isTask = request.message.task != nil
        guard isTask, request.caller.revision >= .v2025_11_25 else {
            return self.takePlain(request, entry, along: route, now: now)
        }
        guard route.upstream.hasTasks else {
            // Whoever was told of no tasks has none, and a server without them ignores what it does not know.
            guard self.directory.upstreams.contains(where: \.hasTasks) else { return false }
            request.refuse(.noTask(route.calledName, route.upstream.route.name))
            return true
        }
        let principal = request.caller.principal
        guard self.records.admits(principal, further: self.making[principal] ?? 0) else {
            request.refuse(.tooManyTasks(self.records.maximumUnderWay))
            return true
        }
        self.making[principal, default: 0] += 1
        let way = route.taking(TaskCreation(self, request, route.upstream)) { [weak self] _ in
            let rest = (self?.making[principal] ?? 1) - 1
            self?.making[principal] = rest > 0 ? rest : nil
        }
        self.desk.send(request.saying(TaskMessages.bounded(request.message)), along: way, now: now)
        return true
    }

    /// A call of somebody who has no tasks.
    private func takePlain(
        _ request: PendingRequest, _ entry: Catalogue.Entry, along route: CallRoute, now: NIODeadline
    ) -> Bool {
        var request = request
        if request.message.task != nil { request = request.saying(TaskMessages.asCall(request.message)) }
        guard entry.taskSupport == .required, route.upstream.hasTasks else {
            self.desk.send(request, along: route, now: now)
            return true
        }
        let drive = TaskDrive(self, request, to: route.upstream, within: route.timeout)
        let way = route.taking(drive) { [weak self, weak drive] _ in
            if let key = drive?.key { self?.drives[key] = nil }
        }
        self.desk.send(request.saying(TaskMessages.asTask(request.message, ttl: drive.ttl)), along: way, now: now)
        return true
    }

    func drives(_ drive: TaskDrive, as key: TaskKey) { self.drives[key] = drive }

    // MARK: Requests about tasks

    func answer(_ request: PendingRequest) {
        guard request.caller.revision >= .v2025_11_25 else {
            return request.refuse(.methodNotFound(request.method.name))
        }
        guard request.method.name != "tasks/list" else { return self.list(request) }
        guard let name = request.message.param("taskId").flatMap({ request.message.text[$0].string }) else {
            return request.refuse(.invalidParams("taskId is required"))
        }
        // Of an id that is somebody else's no more is said than of one that nobody has.
        guard let claims = self.claims(in: name, of: request.caller.principal) else {
            return request.refuse(.unknownTask)
        }
        let server = claims.key.server
        guard let upstream = self.upstream(server) else {
            let failed = self.configuration.failed.first { $0.name == server }
            return request.refuse(failed.map { .unavailable(server, $0.reason) } ?? .unconfiguredTask(server))
        }
        // The scope may be another than it was when the task was made.
        guard request.caller.sees(upstream) else { return request.refuse(.outOfScope(name)) }
        // What is said of a task beside the parameter is to be ignored, and would name it wrongly.
        let isRelated = TaskMessages.related(request.message.text) != nil
        let message = isRelated ? TaskMessages.mapped(request.message.text.bytes) { _ in nil } : nil
        let request = request.saying(message.map { JSONText(trusting: $0) })
        let course = TaskInquiry(self, request, claims, name, upstream)
        let route = CallRoute(
            to: upstream, called: name, named: JSONText(claims.key.ownID), hasContent: course.isPatient,
            timeout: course.limit, mayRepeat: request.method.onlyReads, with: CallExtras(course: course))
        self.desk.send(request, along: route, now: request.now)
    }

    /// What a good id of a principal's says.
    func claims(in name: String, of principal: String) -> TaskClaims? {
        guard let claims = self.names.claims(in: name), claims.principal == principal,
            claims.expires > WallClock.seconds()
        else { return nil }
        return claims
    }

    /// Asks a server something of a task, in the place of its client.
    ///
    /// - Parameter requestID: names it in every log.
    /// - Returns: the exchange, which the answer ends.
    @discardableResult
    func ask(
        _ method: String, _ task: TaskKey, at upstream: UpstreamLink, _ requestID: String, for caller: Caller,
        _ done: @escaping (Answer) -> Void = { _ in }
    ) -> Exchange {
        let message = JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("id", 1)
            message.member("method", method)
            message.memberObject("params") { $0.member("taskId", task.ownID) }
        }
        let header = self.desk.header(
            requestID, of: caller, naming: JSONText(task.ownID), timeout: upstream.route.callTimeout, life: task.life)
        return upstream.open(header: header, payload: message.bytes, delegate: AnswerWaiter(done))
    }

    /// Ends a task that nobody waits for.
    func cancel(_ task: TaskKey, at upstream: UpstreamLink, _ requestID: String, for caller: Caller) {
        self.ask("tasks/cancel", task, at: upstream, requestID, for: caller)
    }

    /// A principal is no more: what runs in its name is cancelled, and nothing of it is remembered.
    ///
    /// - Returns: how many tasks were under way.
    func end(of principal: String, _ requestID: String) -> Int {
        // Its sessions may be over, or in nobody's memory: it is asked in no session's name.
        let nobody = Caller(
            revision: .newest, capabilities: [], principal: principal, session: nil, showsSafeNames: false,
            onDisconnect: .cancel)
        var count = 0
        for record in self.records.records(of: principal, behind: nil) {
            self.records.forget(record.claims.key)
            guard !record.isOver, let upstream = self.upstream(record.claims.key.server) else { continue }
            self.cancel(record.claims.key, at: upstream, requestID, for: nobody)
            count += 1
        }
        return count
    }

    // MARK: Questions

    /// A client's answer to a question that it was asked for a task (``CallCourse/said(_:)``), as the server may hear it.
    func answered(_ answer: ByteBuffer, to server: String, by principal: String) -> ByteBuffer {
        TaskMessages.mapped(answer) { self.ownID($0, at: server, of: principal) }
    }

    /// What its server calls a principal's task.
    func ownID(_ name: String, at server: String, of principal: String) -> String? {
        self.claims(in: name, of: principal).flatMap { $0.key.server == server ? $0.key.ownID : nil }
    }

    // MARK: News

    /// Takes a notification about a task: it goes to its principal and to nobody else.
    ///
    /// - Parameter life: of the server, that the task belongs to.
    func take(_ note: ByteBuffer, life: Int, from upstream: UpstreamLink) {
        let text = JSONText(trusting: note)
        let state = text.string("method") == "notifications/tasks/status" ? TaskMessages.state(note) : nil
        guard let id = state?.id ?? TaskMessages.related(text) else { return }
        let key = TaskKey(server: upstream.route.name, life: life, ownID: id)
        if let drive = self.drives[key] { return drive.heard(note, state) }
        guard let record = self.records[key], let name = self.names.name(of: record.claims) else { return }
        let told = TaskMessages.told(note) { $0 == id ? name : nil }
        guard let state else { return self.tell(told, to: record.claims, from: upstream) }
        self.records.heard(record.claims, ttl: state.ttl, isOver: state.status?.isFinal == true)
        for session in self.sessions.all where session.caller.principal == record.claims.principal {
            guard session.caller.revision >= .v2025_11_25, session.caller.sees(upstream), !session.tell(told)
            else { continue }
            if self.streams(of: session, for: key).first?.notify(told) != true { self.retention.dropped() }
        }
    }

    /// What belongs to the call that made the task goes to that call's session: where it waits for the task, else where it
    /// listens.
    private func tell(_ note: ByteBuffer, to claims: TaskClaims, from upstream: UpstreamLink) {
        guard let session = self.sessions.session(claims.session), session.caller.principal == claims.principal,
            session.caller.sees(upstream), session.caller.wants(LogMessage.severity(of: note))
        else { return }
        let isTold = self.streams(of: session, for: claims.key).first?.notify(note) ?? session.tell(note)
        if !isTold { self.retention.dropped() }
    }

    /// Where a session waits for a task to end.
    private func streams(of session: LiveSession, for key: TaskKey) -> [ClientStream] {
        session.caller.calls.values.filter { ($0.course as? TaskInquiry)?.waits(for: key) == true }.map(\.stream)
    }
}

extension PendingRequest {
    /// The same request in other words; as it is where there are none.
    fileprivate func saying(_ text: JSONText?) -> PendingRequest {
        guard let text, let message = try? RPCMessage(text) else { return self }
        var request = self
        request.message = message
        return request
    }
}

import BridgeAccess
import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

/// Passes requests on to the upstreams that have what they name. Confined to the event loop.
final class CallDesk {
    let directory: Directory
    private let waiting: WaitingRoom
    let resources: ResourceDirectory
    private let tables: SessionTables
    private let logger: Logger
    /// Takes calls of tools that run as tasks; takes itself out when it goes. (Not weak: see ``SessionWorker``.)
    unowned var tasks: TaskDesk?
    /// Asks the owner to sign in.
    var signIns: SignInDesk?
    /// More calls under way are refused.
    private var maximum: Int
    /// What payloads may hold in a worker.
    private(set) var workerBytes: Int
    private var calls: [ObjectIdentifier: Call] = [:]
    /// How many of them each principal has whose number is limited.
    private var counted = Concurrency<String>()
    /// The pages that clients have been told to open.
    var elicitations = ElicitationBook()

    init(
        _ directory: Directory, waiting: WaitingRoom, resources: ResourceDirectory, tables: SessionTables,
        configuration: SessionConfiguration, logger: Logger
    ) {
        self.directory = directory
        self.waiting = waiting
        self.resources = resources
        self.tables = tables
        self.logger = logger
        self.maximum = configuration.maximumInFlight
        self.workerBytes = configuration.workerBytes
    }

    /// Requests to servers that a bridge makes for its clients' lists.
    private var reserved = 0

    var underWay: Int { self.calls.count + self.reserved }

    func reconfigure(_ configuration: SessionConfiguration) {
        self.maximum = configuration.maximumInFlight
        self.workerBytes = configuration.workerBytes
    }

    /// Passes a request on to the upstream that has the entry which it names.
    ///
    /// - Parameter mayWait: false for one that has waited for its entry already.
    func forward(_ request: PendingRequest, _ offering: Offering, mayWait: Bool = true) {
        guard let name = request.name(in: offering) else {
            return request.refuse(.invalidParams("\(offering.identity.string) is required"))
        }
        guard offering != .resources else { return self.forward(request, resource: name, mayWait: mayWait) }
        guard let (entry, upstream) = self.directory.find(name, of: offering, for: request.caller.view) else {
            guard mayWait else { return self.refuse(request, unknown: name, of: offering) }
            return self.wait(request, for: name, of: offering) {
                self.forward(request, offering, mayWait: false)
            }
        }
        let route = upstream.route
        let mayRepeat = request.method.onlyReads || (route.retry == .annotated && entry.hintsRepeatable)
        let way = CallRoute(
            to: upstream, called: name, named: offering.isRenamed ? entry.ownNameJSON : nil,
            hasContent: true, timeout: route.timeout(of: entry, in: offering), mayRepeat: mayRepeat)
        let now = mayWait ? request.now : .now()
        if offering == .tools, request.message.task != nil || entry.taskSupport == .required,
            self.tasks?.take(request, entry, along: way, now: now) == true
        {
            return
        }
        self.send(request, along: way, now: now)
    }

    /// Passes a request on as it is, where there is one server only that it can be for.
    func passOn(_ request: PendingRequest) {
        guard let upstream = self.directory.onlyUpstream else {
            return request.refuse(.methodNotFound(request.method.name))
        }
        guard request.caller.seesAll(of: upstream) else {
            return request.refuse(.outOfScope(request.method.name))
        }
        self.send(
            request,
            along: CallRoute(
                to: upstream, called: request.method.name, timeout: upstream.route.callTimeout, mayRepeat: false),
            now: request.now)
    }

    func send(_ request: PendingRequest, along route: CallRoute, now: NIODeadline) {
        guard self.admits(request, 1) else {
            route.extras?.onEnd?(nil)
            return
        }
        let course = route.extras?.course
        let lane = route.extras?.isEverybodys == true ? nil : request.caller.lane(to: route.upstream)
        let header = self.header(
            of: request, naming: route.ownName, timeout: course?.serverTimeout ?? route.timeout, lane: lane,
            life: course?.life)
        let call = Call(request, along: route, of: self, header: header, now: now)
        call.isCounted = request.caller.concurrency != nil
        self.calls[ObjectIdentifier(call)] = call
        self.log(request, route.calledName, route.upstream)
        call.start()
    }

    /// Whether a request may have so many of servers made; else it is refused.
    private func admits(_ request: PendingRequest, _ count: Int) -> Bool {
        let isTaken = request.caller.calls[request.id] != nil
        guard !isTaken, self.underWay + count <= self.maximum else {
            request.refuse(isTaken ? .duplicateID : .tooManyCalls(self.maximum))
            return false
        }
        if let most = request.caller.concurrency, !self.counted.begin(request.caller.principal, most: most) {
            request.refuse(.tooManyOfToken(most))
            return false
        }
        return true
    }

    /// Counts as many calls for one request that is answered with all of them: of its principal's it is one.
    ///
    /// - Returns: false where there are too many already, which it has been told.
    func reserve(_ count: Int, for request: PendingRequest) -> Bool {
        guard self.admits(request, count) else { return false }
        self.reserved += count
        return true
    }

    /// - Parameter principal: where the number of its calls is limited.
    func release(_ count: Int, ofLimited principal: String?) {
        self.reserved -= count
        if let principal { self.counted.end(principal) }
    }

    /// Holds a request back whose entry may be one of an upstream that has not been listed yet, as just after a start.
    func wait(
        _ request: PendingRequest, for name: String, of offering: Offering, then answer: @escaping () -> Void
    ) {
        let later = WaitingRoom.Request(
            id: request.id, stream: request.stream, offering: offering, name: name, answer: answer)
        switch self.waiting.wait(later) {
        case .waits: break
        case .pointless: self.refuse(request, unknown: name, of: offering)
        case .full: request.refuse(.tooManyWaiting(WaitingRoom.maximum))
        }
    }

    /// - Parameter life: of the server, where it is about a task: that says where it goes, whoever's lane that is.
    func header(
        of request: PendingRequest, naming name: JSONText?, timeout: Seconds, lane: String? = nil, life: Int? = nil
    ) -> JSONText {
        self.header(request.requestID, of: request.caller, naming: name, timeout: timeout, lane: lane, life: life)
    }

    /// - Parameter requestID: names it in every log.
    func header(
        _ requestID: String, of caller: Caller, naming name: JSONText?, timeout: Seconds, lane: String? = nil,
        life: Int? = nil
    ) -> JSONText {
        let header = UpstreamCallHeader(
            requestID: requestID, timeout: timeout.milliseconds, principal: caller.principal,
            session: caller.session, name: name, mayBeAsked: caller.canBeAsked, lane: lane, life: life
        )
        let strings = requestID.utf8.count + caller.principal.utf8.count + (name?.count ?? 0)
        return UpstreamRequest.call(header).text(capacity: 80 + strings)
    }

    private func log(_ request: PendingRequest, _ name: String, _ upstream: UpstreamLink) {
        guard self.logger.logLevel <= .debug else { return }
        self.logger.debug(
            "Call routed",
            metadata: [
                "mcp.request_id": "\(request.requestID)", "mcp.session": "\(request.caller.session ?? "")",
                "mcp.method": "\(request.method.name)", "mcp.tool": "\(name)",
                "mcp.upstream": "\(upstream.route.name)",
            ]
        )
    }

    /// Ends the calls that have taken too long, whoever they are for.
    func endOverdue(now: NIODeadline) { for call in Array(self.calls.values) { call.abortIfOverdue(now: now) } }

    // MARK: For calls

    func callEnded(_ call: Call) {
        self.calls[ObjectIdentifier(call)] = nil
        if call.isCounted { self.counted.end(call.caller.principal) }
    }

    /// SDKs of some languages take no more.
    private static let mostOfSomeClients = 16 << 20

    /// A response is on its way to its client.
    ///
    /// - Parameter asked: the URI of the resource that its request names, if it names one.
    func note(_ response: ByteBuffer, of asked: String?, for caller: Caller, from upstream: UpstreamLink) {
        if response.readableBytes > Self.mostOfSomeClients {
            self.logger.warning(
                "A result is larger than some clients take (16 MiB)",
                metadata: [
                    "mcp.upstream": "\(upstream.route.name)", "mcp.session": "\(caller.session ?? "")",
                    "bytes": "\(response.readableBytes)",
                ])
        }
        self.resources.note(response, of: asked, for: caller, from: upstream)
    }

    /// Whether an upstream's worker that answers with this word says that nothing has run.
    func saysItDidNotRun(_ word: String) -> Bool { self.tables.saysItDidNotRun(word) }
}

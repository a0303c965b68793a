import BridgeConfiguration
import BridgeCore
import NIOCore

/// All connections of the front, the idle ones in the order in which they became so. Confined to the event loop.
///
/// Finding the longest idle one, and every move between idle and busy, is a matter of a few pointers: ten thousand
/// connections that ask for nothing cost the next caller nothing.
final class ConnectionTable {
    private(set) var limits: FrontLimits
    private(set) var isDraining = false
    private var idle = ConnectionList()
    private var busy = ConnectionList()
    /// Connections that were refused and wait to be closed.
    private(set) var refusedCount = 0
    let payloads: PayloadBudget
    /// Called when the last connection has gone.
    var onEmpty: (() -> Void)?
    private let metrics: FrontMetrics

    private let descriptors: Int
    private var share: DescriptorShare

    /// - Parameter descriptors: that this process may have open.
    init(
        limits: FrontLimits, metrics: FrontMetrics, descriptors: Int = DescriptorShare.limitOfThisProcess
    ) {
        self.limits = limits
        self.descriptors = descriptors
        self.share = DescriptorShare(limit: descriptors, wanted: limits.maximumConnections)
        self.metrics = metrics
        self.payloads = PayloadBudget(limit: limits.maximumHeldBytes)
        self.payloads.onExcess = { [unowned self] in self.relieve() }
    }

    var count: Int { self.idle.count + self.busy.count }
    var busyCount: Int { self.busy.count }
    /// Connections that the router has joined.
    var withRouter: Int { (self.idle.all + self.busy.all).count { $0.hasRouter } }

    enum Admission { case admitted, refused, dropped }

    /// Makes room for one more connection, at the expense of the longest idle one if need be.
    func admit() -> Admission {
        if self.count < self.share.connections { return .admitted }
        if let oldest = self.idle.first {
            self.metrics.evictedConnections += 1
            oldest.evict()
            return .admitted
        }
        guard self.refusedCount < self.share.refused else { return .dropped }
        return .refused
    }

    func refusedOpened() {
        self.refusedCount += 1
        self.metrics.refuse(Fault.tooManyConnections.word)
    }

    /// A connection refused a request by itself.
    func refused(_ refusal: Refusal) { self.metrics.refuse(refusal.code) }

    func refusedClosed() { self.refusedCount -= 1 }

    func add(_ connection: ClientConnection) { self.idle.append(connection) }

    func becameBusy(_ connection: ClientConnection) {
        guard connection.list == .idle else { return }
        self.idle.remove(connection)
        self.busy.append(connection, as: .busy)
    }

    func becameIdle(_ connection: ClientConnection) {
        guard connection.list == .busy else { return }
        self.busy.remove(connection)
        self.idle.append(connection)
    }

    func remove(_ connection: ClientConnection) {
        switch connection.list {
        case .none: return
        case .idle: self.idle.remove(connection)
        case .busy: self.busy.remove(connection)
        }
        if self.count == 0 { self.onEmpty?() }
    }

    func reconfigure(_ limits: FrontLimits) {
        self.limits = limits
        self.share = DescriptorShare(limit: self.descriptors, wanted: limits.maximumConnections)
        self.payloads.limit = limits.maximumHeldBytes
        self.forEach { $0.reconfigure(limits) }
    }

    func drain() {
        self.isDraining = true
        self.forEach { $0.drain() }
    }

    /// Closes the slowest readers until there is room for what is held for the others.
    private func relieve() {
        while self.payloads.isExceeded {
            var slowest = SlowestReader<ClientConnection>()
            let now = NIODeadline.now()
            self.forEach { connection in
                guard connection.payloads.answers > 0 else { return }
                slowest.consider(
                    connection, octets: connection.octetsRead, since: connection.payloads.since, now: now)
            }
            guard let reader = slowest.reader else { return }
            self.refused(.slowReader)
            reader.evict()
        }
    }

    /// What is under way on the front's own path.
    var requests: [any OwnRequest] { self.busy.all.compactMap(\.incoming.request) }

    /// Ends what is under way by secrets that are good no longer: their token has ended, or has another one.
    ///
    /// - Returns: the second in which the first of the others ends.
    func endRequests(withoutGood tokens: any TokenReader, at second: Int) -> Int? {
        var next: Int?
        for request in self.requests {
            guard let token = request.token else { continue }
            guard let secret = request.secret,
                case .good(let holder) = tokens.verdict(on: secret, at: second), holder.id == token.id
            else {
                request.tokenIsOver()
                continue
            }
            next = holder.until.map { until in next.map { min($0, until) } ?? until } ?? next
        }
        return next
    }

    func closeAll() { self.forEach { $0.evict() } }

    private func forEach(_ body: (ClientConnection) -> Void) {
        for connection in self.idle.all + self.busy.all { body(connection) }
    }
}

/// In which list of the table a connection is.
enum ConnectionPlace { case none, idle, busy }

/// A list through the connections themselves, oldest first.
private struct ConnectionList {
    private(set) var count = 0
    private(set) var first: ClientConnection?
    private var last: ClientConnection?

    mutating func append(_ connection: ClientConnection, as place: ConnectionPlace = .idle) {
        connection.list = place
        connection.previous = self.last
        if let last = self.last { last.next = connection } else { self.first = connection }
        self.last = connection
        self.count += 1
    }

    mutating func remove(_ connection: ClientConnection) {
        if let previous = connection.previous { previous.next = connection.next } else { self.first = connection.next }
        if let next = connection.next { next.previous = connection.previous } else { self.last = connection.previous }
        connection.previous = nil
        connection.next = nil
        connection.list = .none
        self.count -= 1
    }

    var all: [ClientConnection] {
        var all: [ClientConnection] = []
        all.reserveCapacity(self.count)
        var at = self.first
        while let connection = at {
            all.append(connection)
            at = connection.next
        }
        return all
    }
}

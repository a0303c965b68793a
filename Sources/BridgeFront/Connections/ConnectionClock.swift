import BridgeConfiguration
import BridgeCore
import NIOCore

/// Decides how long one connection may take for what it is doing. Pure: time is passed in.
///
/// A client pays for what *it* delays, never for what the service takes: while a request is being answered, only its
/// reading counts.
struct ConnectionClock {
    struct Limits: Sendable, Equatable {
        var header: TimeAmount
        var body: TimeAmount
        var idle: TimeAmount
        var slowRead: TimeAmount
        var linger: TimeAmount

        init(_ limits: FrontLimits) {
            self.header = limits.headerTimeout.timeAmount
            self.body = limits.bodyTimeout.timeAmount
            self.idle = limits.idleTimeout.timeAmount
            self.slowRead = limits.slowReadTimeout.timeAmount
            self.linger = limits.linger.timeAmount
        }
    }

    enum Expiry: Equatable {
        case none
        /// Nobody is asking: close without a word.
        case closeQuietly
        /// A request has begun and does not get on.
        case requestTimeout
        /// Written bytes have been waiting for long: see whether any of them left, and say so with ``writerMoved(_:)``.
        case checkWriter
        case closeNow
    }

    /// Which request is to blame when what arrives cannot be used, or does not arrive.
    enum Fault: Equatable {
        /// The one whose head is being read; there is none before it.
        case nextRequest
        /// The one that is to be answered: its body.
        case currentBody
        /// One that has its answer already.
        case answeredBody
    }

    private enum Reading {
        case between
        case head(since: NIODeadline)
        case body(since: NIODeadline, received: Int)
    }

    /// A body may take a second longer for every so many bytes that did arrive.
    private static let octetsPerSecond = 16 << 10

    var limits: Limits
    /// Requests whose head has been looked at and whose answer has not ended: one at most.
    private(set) var inFlight = 0
    private var reading = Reading.between
    private var hasServed = false
    private var idleSince: NIODeadline
    private var stalledSince: NIODeadline?
    private var closeBy: NIODeadline?
    private var isDraining = false
    private var isBodyHeld = false

    init(limits: Limits, now: NIODeadline) {
        self.limits = limits
        self.idleSince = now
    }

    mutating func bytesArrived(_ now: NIODeadline) {
        if case .between = self.reading { self.reading = .head(since: now) }
    }

    mutating func headArrived(_ now: NIODeadline) {
        self.inFlight += 1
        self.reading = .body(since: now, received: 0)
    }

    mutating func bodyArrived(_ octets: Int) {
        if case .body(let since, let received) = self.reading {
            self.reading = .body(since: since, received: received + octets)
        }
    }

    /// What of the body has not been read waits for us, or does so no longer; then its time begins anew.
    mutating func bodyHeld(_ isHeld: Bool, _ now: NIODeadline) {
        self.isBodyHeld = isHeld
        if !isHeld, case .body(_, let received) = self.reading { self.reading = .body(since: now, received: received) }
    }

    mutating func requestEnded(_ now: NIODeadline) {
        self.reading = .between
        self.idleSince = now
    }

    mutating func responseEnded(_ now: NIODeadline) {
        self.inFlight -= 1
        self.hasServed = true
        self.idleSince = now
        switch self.reading {  // what was pipelined has waited for us until now
        case .between: break
        case .head: self.reading = .head(since: now)
        case .body(_, let received): self.reading = .body(since: now, received: received)
        }
    }

    mutating func writabilityChanged(_ isWritable: Bool, _ now: NIODeadline) {
        self.stalledSince = isWritable ? nil : now
        if isWritable, self.inFlight == 0 { self.idleSince = now }
    }

    mutating func writerMoved(_ now: NIODeadline) {
        if self.stalledSince != nil { self.stalledSince = now }
    }

    /// Nothing is asked, and what was answered has been read but for a little.
    var isIdle: Bool { self.inFlight == 0 && self.stalledSince == nil }

    /// Our side has been closed, the last byte has left; the client has this long to do the same.
    mutating func outputClosed(_ now: NIODeadline) { self.closeBy = now + self.limits.linger }

    /// The service stops: an idle connection lingers only for a request that is on its way already.
    mutating func drain(_ now: NIODeadline) {
        self.isDraining = true
        if self.inFlight == 0 { self.idleSince = now }
    }

    var isReadingBody: Bool { if case .body = self.reading { true } else { false } }

    var fault: Fault {
        guard case .body = self.reading else { return .nextRequest }
        return self.inFlight == 0 ? .answeredBody : .currentBody
    }

    /// When ``expired(_:)`` is next worth asking.
    var deadline: NIODeadline? {
        var earliest = self.closeBy ?? self.readingDeadline
        if let stalledSince = self.stalledSince {
            let stalled = stalledSince + self.limits.slowRead
            earliest = earliest.map { min($0, stalled) } ?? stalled
        }
        return earliest
    }

    private var readingDeadline: NIODeadline? {
        guard self.closeBy == nil else { return nil }
        switch self.reading {
        case .between:
            guard self.isIdle else { return nil }
            if self.isDraining { return self.idleSince + self.limits.linger }
            return self.idleSince + (self.hasServed ? self.limits.idle : self.limits.header)
        case .head(let since):
            return self.inFlight == 0 ? since + self.limits.header : nil
        case .body(let since, let received):
            guard !self.isBodyHeld else { return nil }
            return since + self.limits.body + .seconds(Int64(received / Self.octetsPerSecond))
        }
    }

    func expired(_ now: NIODeadline) -> Expiry {
        if let closeBy = self.closeBy, closeBy <= now { return .closeNow }
        if let stalledSince = self.stalledSince, stalledSince + self.limits.slowRead <= now { return .checkWriter }
        guard let deadline = self.readingDeadline, deadline <= now else { return .none }
        if case .between = self.reading { return .closeQuietly }
        return .requestTimeout
    }
}

import BridgeConfiguration
import BridgeCore
import BridgeLink
import Glibc
import Logging
import NIOCore

/// A connection to a server of which nobody says how it is spoken to: by Streamable HTTP, and where that is refused as by
/// who does not know it, by HTTP+SSE (basic/transports, "Backwards Compatibility"). Nobody above notices.
///
/// Nothing is connected before `initialize` is there to be sent: until then somebody may still say what was found out in an
/// earlier life.
///
/// Confined to its event loop.
final class ProbedHTTP: Connection {
    typealias Maker = (RemoteTarget.Dialect) -> any RemoteConnection

    /// Until the end, which is always told.
    var delegate: (any ConnectionDelegate)?
    private let url: String
    private let memory: AddressMemory
    private let loop: any EventLoop
    private let make: Maker
    private var inner: (any RemoteConnection)?
    /// What there has been since this was made: connections are made by what there was then.
    private var configuration: UpstreamConfiguration?
    private(set) var dialect = RemoteTarget.Dialect.streamableHTTP
    /// `initialize`, until it is answered, and whether it has been sent.
    private var greeting: (message: JSONText, request: Int)?
    private var greeted: Int?
    /// What the first way was refused with.
    private var refusal: String?
    /// Whether how it is spoken to was known, and whether it has said anything to that.
    private var isRemembered = false
    private var hasSpoken = false
    /// Whether it was lost for what has nothing to do with how it is spoken to.
    private var isExcused = false
    private var isOver = false

    init(_ target: RemoteTarget, memory: AddressMemory, loop: any EventLoop, make: @escaping Maker) {
        self.url = target.url.value
        self.memory = memory
        self.loop = loop
        self.make = make
    }

    var pid: pid_t? { nil }
    var notes: [String] { self.inner?.notes ?? [] }
    var isWritable: Bool { self.inner?.isWritable ?? !self.isOver }
    var takesOwnWords: Bool { self.inner?.takesOwnWords ?? self.isWritable }
    func masked(_ text: String) -> String { self.inner?.masked(text) ?? text }
    var foundTransport: String? { self.greeted == nil ? nil : self.dialect.rawValue }
    var unsentRequests: [Int] { self.inner?.unsentRequests ?? [] }
    var isReading = true {
        didSet { self.inner?.isReading = self.isReading }
    }

    func start() {
        self.loop.assumeIsolated().execute { if !self.isOver { self.delegate?.connectionOpened(self) } }
    }

    private func start(_ dialect: RemoteTarget.Dialect) {
        self.dialect = dialect
        let inner = self.make(dialect)
        self.inner = inner
        inner.delegate = self
        inner.isReading = self.isReading
        inner.onForeign = { [weak self] reason in self?.refused(reason) ?? false }
        if let configuration { inner.adopt(configuration) }
        inner.start()
    }

    /// - Returns: whether another way is tried.
    private func refused(_ reason: String) -> Bool {
        // A server that was found is asked anew on another connection: on this one are calls.
        guard !self.isOver, self.refusal == nil, self.greeted == nil else { return false }
        // What was found out holds no longer.
        self.memory.forgetDialect()
        self.isRemembered = false
        self.refusal = reason
        self.inner?.delegate = nil
        self.inner?.end(.now)
        self.start(self.dialect == .sse ? .streamableHTTP : .sse)
        return true
    }

    func send(_ message: JSONText, replacing edits: [(JSONSpan, ByteBuffer)], request: Int?, hold: PayloadHold?) {
        if let request, self.greeted == nil, edits.isEmpty { self.greeting = (message, request) }
        if let inner { return inner.send(message, replacing: edits, request: request, hold: hold) }
        // It is said once there is a connection.
        guard self.greeting != nil, !self.isOver else { return }
        let found = self.memory.dialect(of: self.url)
        self.isRemembered = found != nil
        self.start(found ?? .streamableHTTP)
    }

    func flush() { self.inner?.flush() }
    func giveUp(_ request: Int) { self.inner?.giveUp(request) }

    func adopt(_ configuration: UpstreamConfiguration) {
        self.configuration = configuration
        self.inner?.adopt(configuration)
    }

    func end(_ manner: EndManner) {
        let wasOver = self.isOver
        self.isOver = true
        // What is there and does not greet may be a server of the other kind by now.
        if !wasOver, self.isRemembered, self.greeted == nil, !self.isExcused { self.memory.forgetDialect() }
        if let inner { return inner.end(manner) }
        guard !wasOver else { return }
        self.loop.assumeIsolated().execute { self.ended() }
    }

    private func ended() {
        self.delegate?.connectionEnded(self)
        self.delegate = nil
    }
}

extension ProbedHTTP: ConnectionDelegate {
    func connectionOpened(_ connection: any Connection) {
        guard let greeting else { return }
        // Who is above has said this already.
        connection.send(greeting.message, request: greeting.request)
        connection.flush()
    }

    func connectionSpoke(_ connection: any Connection) {
        self.hasSpoken = true
        self.delegate?.connectionSpoke(self)
    }

    func connection(_ connection: any Connection, received message: JSONText, answering request: Int?) {
        if let greeting, greeting.request == request {
            self.greeting = nil
            self.greeted = request
            self.memory.remember(self.dialect, of: self.url)
        }
        self.delegate?.connection(self, received: message, answering: request)
    }

    func connection(_ connection: any Connection, couldNotRead what: Unreadable, answering request: Int?) {
        self.delegate?.connection(self, couldNotRead: what, answering: request)
    }

    func connectionBecameWritable(_ connection: any Connection) { self.delegate?.connectionBecameWritable(self) }

    func connection(_ connection: any Connection, lost request: Int, _ loss: RequestLoss) {
        self.delegate?.connection(self, lost: request, loss)
    }

    func connection(_ connection: any Connection, mayHold request: Int, for time: TimeAmount) -> Bool {
        self.delegate?.connection(self, mayHold: request, for: time) ?? true
    }

    func connectionWaits(_ connection: any Connection, reason: String, for seconds: Int) {
        self.delegate?.connectionWaits(self, reason: reason, for: seconds)
    }

    func connectionLost(_ connection: any Connection, reason: String, retryAfter: Int?) {
        self.isExcused = !self.hasSpoken || retryAfter != nil
        let told = self.refusal.map { "neither transport is there: \($0); and \(reason)" } ?? reason
        self.delegate?.connectionLost(
            self, reason: self.greeted == nil ? told : reason, retryAfter: retryAfter)
    }

    func connectionLostSession(_ connection: any Connection, refusesRevision: Bool) {
        self.delegate?.connectionLostSession(self, refusesRevision: refusesRevision)
    }

    func connectionNeedsSignIn(_ connection: any Connection, reason: String) {
        self.isExcused = true
        let told = self.refusal.map { "\(reason); by the other transport: \($0)" } ?? reason
        self.delegate?.connectionNeedsSignIn(self, reason: self.greeted == nil ? told : reason)
    }

    func connectionEnded(_ connection: any Connection) { self.ended() }
}

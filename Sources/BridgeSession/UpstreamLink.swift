import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

/// The session worker's view of one upstream: the link to its worker, what it lists, how it is doing.
///
/// Confined to the event loop.
final class UpstreamLink {
    /// In the order of the configuration.
    var route: UpstreamRoute
    /// The upstream's own tools; nil until they have been listed, now or in an earlier life (the warm cache).
    private(set) var tools: [JSONText]?
    private(set) var takesLogLevel = false
    /// Whether the configuration has no such upstream any more.
    private(set) var isClosed = false
    /// Calls under way. A retired upstream is closed after the last of them.
    var callsInFlight = 0 {
        didSet { if self.isRetired, self.callsInFlight == 0 { self.close() } }
    }

    /// What has happened, for the worker that owns this.
    var onCatalogue: (() -> Void)?
    var onSettled: (() -> Void)?
    var onNote: ((ByteBuffer) -> Void)?

    private var isRetired = false
    private let loop: any EventLoop
    private let dialer: LinkDialer
    private let logger: Logger
    private var watch: Exchange?
    private var phase = "connecting"
    private var wasWoken = false
    private var waitsUntil: NIODeadline
    private var level: LogSeverity?

    init(route: UpstreamRoute, warm: [JSONText]?, listWait: Seconds, loop: any EventLoop, logger: Logger) {
        self.route = route
        self.tools = warm
        self.waitsUntil = .now() + listWait.timeAmount
        self.logger = logger
        self.loop = loop
        self.dialer = LinkDialer(path: route.socket, loop: loop, logger: logger)
        self.dialer.onConnected = { [weak self] link in
            guard let self else { return }
            self.watch = link.open(header: Self.watchRequest, delegate: self)
            if let level = self.level { self.send(level: level) }
        }
    }

    private static let watchRequest = JSONText(literal: #"{"op":"watch"}"#)

    /// Whether its worker is there.
    var isConnected: Bool { self.dialer.isConnected }

    func start() { self.dialer.start() }

    /// Lets an upstream go that the configuration has no more: calls under way may finish, as long as its worker lives.
    func retire() {
        self.isRetired = true
        self.onCatalogue = nil
        self.onSettled = nil
        self.onNote = nil
        self.dialer.onLost = { [weak self] in self?.close() }
        // Without a link every call of it still waits, and would wait for ever.
        if self.callsInFlight == 0 || !self.dialer.isConnected { self.close() }
    }

    func close() {
        self.isClosed = true
        self.onCatalogue = nil
        self.onSettled = nil
        self.onNote = nil
        self.dialer.close()
    }

    /// Another program runs now: what was listed is not what it will list. Lists wait for that, as at the start.
    func forgetTools(listWait: Seconds) {
        self.tools = nil
        self.phase = "connecting"
        self.wasWoken = false
        self.waitsUntil = .now() + listWait.timeAmount
    }

    /// Opens an exchange with the upstream's worker, waiting for the worker if it is away.
    func open(
        header: JSONText, payload: ByteBuffer?, hold: PayloadHold? = nil, delegate: any ExchangeDelegate
    ) -> Exchange {
        self.dialer.open(header: header, payload: payload, hold: hold, delegate: delegate)
    }

    /// Whether more is read of what its worker sends. While too many answers wait for the front, nothing is.
    var isReading: Bool {
        get { self.dialer.isReading }
        set { self.dialer.isReading = newValue }
    }

    /// Whether a list should wait for this upstream: it has never been listed, and may yet be in time.
    func isAwaited(now: NIODeadline) -> Bool {
        self.tools == nil && now < self.waitsUntil && !["backoff", "failed", "stopped"].contains(self.phase)
    }

    /// The latest that ``isAwaited(now:)`` can turn false.
    var awaitedUntil: NIODeadline { self.waitsUntil }

    /// Wakes an upstream that starts on demand and has never been listed; a list then waits for it once.
    ///
    /// - Parameter again: false where the same lists may have woken it already.
    func wakeForListing(listWait: Seconds, again: Bool = true) {
        guard self.tools == nil, self.phase == "idle", again || !self.wasWoken else { return }
        self.wasWoken = true
        self.phase = "connecting"
        self.waitsUntil = .now() + listWait.timeAmount
        _ = self.open(header: JSONText(literal: #"{"op":"retry"}"#), payload: nil, delegate: AnswerWaiter { _ in })
    }

    /// Tells the upstream, now and after each restart of its worker, which level its clients want.
    func set(level: LogSeverity) {
        guard level != self.level else { return }
        self.level = level
        if self.dialer.isConnected { self.send(level: level) }
    }

    private func send(level: LogSeverity) {
        let payload = JSONWriter.object { $0.member("level", level.rawValue) }
        _ = self.open(
            header: JSONText(literal: #"{"op":"level"}"#), payload: payload.bytes, delegate: AnswerWaiter { _ in })
    }
}

extension UpstreamLink: ExchangeDelegate {
    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {
        guard let payload else { return }
        switch header.string("t") {
        case "state":
            let phase = JSONText(trusting: payload).string("phase") ?? ""
            guard phase != self.phase else { return }
            self.phase = phase
            self.onSettled?()
        case "catalog":
            let catalogue = JSONText(trusting: payload)
            var tools: [JSONText] = []
            if let list = catalogue.value("tools") { list.elements { tools.append(list[$0]) } }
            self.tools = tools
            self.takesLogLevel = catalogue.value("capabilities")?.member("logging") != nil
            self.onCatalogue?()
        case "note":
            self.onNote?(payload)
        default:
            break
        }
    }

    /// With a new link a new watch begins. Where only the watch is over, as after a catalogue too large to be sent, it is
    /// begun again.
    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) { self.watchAgain(exchange) }
    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        if case .linkLost = failure { self.watch = nil } else { self.watchAgain(exchange) }
    }

    private func watchAgain(_ over: Exchange) {
        guard self.watch === over else { return }
        self.watch = nil
        self.loop.assumeIsolated().scheduleTask(in: .seconds(5)) { [weak self] in
            guard let self, self.watch == nil, !self.isClosed, self.dialer.isConnected else { return }
            self.watch = self.open(header: Self.watchRequest, payload: nil, delegate: self)
        }
    }
}

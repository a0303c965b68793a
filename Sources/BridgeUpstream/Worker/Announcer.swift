import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

/// Tells the supervisor and every watcher how the upstream is, and the watchers what it offers.
///
/// However often the state changes in one turn of the event loop, it is told once. Of what it offers, only what has
/// changed is told. Confined to its event loop.
final class Announcer {
    private static let statusHeader = WorkerReport.status.text

    private let loop: any EventLoop
    private let control: LinkConnection
    private let logger: Logger
    /// The state as it is now.
    private let state: () -> JSONText
    private var identity: JSONText?
    private var catalogues: [(offering: Offering, entries: ByteBuffer)] = []
    private var watchers: [ObjectIdentifier: Watcher] = [:]
    private var isScheduled = false
    /// The supervisor has not taken the last status yet.
    private var isReporting = false
    private var isReportDue = false

    init(loop: any EventLoop, control: LinkConnection, logger: Logger, state: @escaping () -> JSONText) {
        self.loop = loop
        self.control = control
        self.logger = logger
        self.state = state
    }

    func watch(_ exchange: Exchange) {
        let watcher = Watcher(exchange) { [weak self] in self?.watchers[ObjectIdentifier($0)] = nil }
        self.watchers[ObjectIdentifier(watcher)] = watcher
        exchange.delegate = watcher
        watcher.offer(state: self.state())
        if let identity { watcher.offer(identity: identity) }
        for (offering, entries) in self.catalogues { watcher.offer(entries, of: offering) }
    }

    /// Tells the state at the end of this turn.
    func stateChanged() {
        guard !self.isScheduled else { return }
        self.isScheduled = true
        self.loop.assumeIsolated().execute {
            self.isScheduled = false
            self.tellState()
        }
    }

    private func tellState() {
        let state = self.state()
        for watcher in self.watchers.values { watcher.offer(state: state) }
        self.isReportDue = true
        self.report()
    }

    private func report() {
        guard self.isReportDue, !self.isReporting else { return }
        self.isReportDue = false
        self.isReporting = true
        self.control.ask(header: Self.statusHeader, payload: self.state().bytes) { [weak self] answer in
            // Without a link there is nobody to tell any more.
            if case .failed(.linkLost) = answer { return }
            self?.isReporting = false
            self?.report()
        }
    }
}

extension Announcer: LaneNews {
    func connected(to identity: UpstreamIdentity) {
        // Told of each connection, though it is the same server: subscriptions are to be made anew.
        let news = identity.news
        self.identity = news
        for watcher in self.watchers.values { watcher.offer(identity: news) }
    }

    func listed(_ listing: Listing) {
        let (offering, entries) = (listing.offering, listing.entries)
        let index = self.catalogues.firstIndex { $0.offering == offering }
        if let index, self.catalogues[index].entries == entries { return }
        if let index { self.catalogues[index].entries = entries } else { self.catalogues.append((offering, entries)) }
        for watcher in self.watchers.values { watcher.offer(entries, of: offering) }
        self.logger.debug(
            "upstream listed", metadata: ["offering": "\(offering)", "toolCount": "\(listing.count)"])
    }

    /// Watchers forget what the old program listed, and wait for the new one's lists even where they are the same.
    func replaced() {
        self.identity = nil
        self.catalogues = []
    }

    func noted(_ notification: JSONText) { self.noted(notification, for: nil) }

    /// - Parameter owner: of the lane that it came over; nil where everybody shares it.
    func noted(_ notification: JSONText, for owner: String?) {
        self.tell(notification, as: .note(for: owner))
    }

    func noted(_ notification: JSONText, ofTaskIn life: Int) { self.tell(notification, as: .taskNote(life: life)) }

    private func tell(_ notification: JSONText, as news: UpstreamNews) {
        let note = notification.withWholePairs
        for watcher in self.watchers.values { watcher.offer(note: note, as: news) }
    }
}

package import BridgeCore
package import NIOCore
package import NIOHTTP1

/// Hears of what a server says by itself, on the event loop.
package protocol MCPListeningDelegate: AnyObject {
    func received(_ message: JSONText, of listening: MCPListening)
    /// It is not tried again: the server has no such stream, or does not know the session.
    func ended(_ listening: MCPListening, status: HTTPResponseStatus)
    /// The stream is there, for the first time or again.
    func opened(_ listening: MCPListening)
    /// The stream is gone, and will be tried again.
    func lost(_ listening: MCPListening, _ failure: HTTPFailure?)
}

/// The stream of what a server says by itself, opened again as often as it ends (basic/transports, "Listening for Messages
/// from the Server").
///
/// Confined to its event loop.
package final class MCPListening {
    /// A stream that nothing comes over, no sign of life either, may be dead without anybody knowing.
    private static let standardSilence = TimeAmount.seconds(300)
    private static let shortestDelay = TimeAmount.milliseconds(100)

    private let connections: HTTPConnections
    private let destination: MCPDestination
    private weak var delegate: (any MCPListeningDelegate)?
    private var transfer: MCPTransfer?
    private var timer: Scheduled<Void>?
    private var lastEventID: String?
    private var wanted: TimeAmount?
    private var pace = ReconnectPace()
    private var status: HTTPResponseStatus?
    private var isOver = false

    /// ``cancel()`` must be called when it is no longer needed.
    package convenience init(
        to destination: MCPDestination, over connections: HTTPConnections, _ delegate: any MCPListeningDelegate
    ) {
        self.init(to: destination, over: connections, silence: Self.standardSilence, delegate)
    }

    /// - Parameter silence: after so long without a byte the stream is asked for anew.
    init(
        to destination: MCPDestination, over connections: HTTPConnections, silence: TimeAmount,
        _ delegate: any MCPListeningDelegate
    ) {
        var destination = destination
        // It lasts as long as the session does.
        destination.limits = TransferLimits(idle: silence)
        self.destination = destination
        self.connections = connections
        self.delegate = delegate
    }

    /// Back pressure.
    package var isReading = true {
        didSet { self.transfer?.isReading = self.isReading }
    }

    package func start() {
        guard !self.isOver, self.transfer == nil else { return }
        self.status = nil
        self.transfer = self.connections.send(self.destination.listen(after: self.lastEventID), to: self)
        self.transfer?.isReading = self.isReading
    }

    package func cancel() {
        self.isOver = true
        self.timer?.cancel()
        self.transfer?.cancel()
        self.transfer = nil
    }
}

extension MCPListening: MCPTransferDelegate {
    package func received(_ head: HTTPResponseHead, of transfer: MCPTransfer) {
        self.status = head.status
        if head.status.code < 300 { self.delegate?.opened(self) }
    }

    package func received(_ event: ServerSentEvent, of transfer: MCPTransfer) {
        guard self.status.map({ $0.code < 300 }) ?? false else { return }
        self.pace.succeeded()
        if let id = event.id, !event.isUnfinished { self.lastEventID = id.isEmpty ? nil : id }
        if let retry = event.retry { self.wanted = .milliseconds(Int64(retry)) }
        guard let data = event.data, let text = try? JSONText(validating: data) else { return }
        self.delegate?.received(text, of: self)
    }

    package func ended(_ transfer: MCPTransfer, body: ByteBuffer?) {
        self.transfer = nil
        guard !self.isOver else { return }
        guard let status = self.status, status.code >= 300, !status.isBusy else { return self.again(nil) }
        if status.code == 400, self.lastEventID != nil {
            // What was missed is not kept any more: a new stream, from now on.
            self.lastEventID = nil
            return self.again(nil)
        }
        self.isOver = true
        self.delegate?.ended(self, status: status)
    }

    package func failed(_ transfer: MCPTransfer, _ failure: HTTPFailure) {
        self.transfer = nil
        guard !self.isOver else { return }
        guard case .silent = failure.reason else { return self.again(failure) }
        // There may be nothing to say: nobody is told of a loss, and little is to be missed.
        self.wanted = Self.shortestDelay
        self.again(nil)
    }

    private func again(_ failure: HTTPFailure?) {
        let delay = self.wanted.map { max($0, Self.shortestDelay) } ?? self.pace.failed()
        self.wanted = nil
        self.delegate?.lost(self, failure)
        guard !self.isOver else { return }
        self.timer = self.connections.loop.assumeIsolated().scheduleTask(in: delay) { [weak self] in self?.start() }
    }
}

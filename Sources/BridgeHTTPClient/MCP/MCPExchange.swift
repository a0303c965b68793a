package import BridgeCore
package import NIOCore
package import NIOHTTP1

/// Hears of one exchange, on its event loop. ``ended(_:_:)`` is the last that it hears, once, and it does not come when it
/// has cancelled the exchange itself.
package protocol MCPExchangeDelegate: AnyObject {
    /// The head of the answer to the message itself, and not of what is fetched later.
    func received(_ head: HTTPResponseHead, of exchange: MCPExchange)
    /// One message: of the stream, or the body. The bytes are as they came.
    func received(_ message: JSONText, of exchange: MCPExchange)
    func ended(_ exchange: MCPExchange, _ end: MCPExchange.End)
}

/// One message (or batch) posted to a server, and all that comes for it. A stream that breaks off behind an event with an
/// id is fetched from there on (basic/transports, "Resumability and Redelivery").
///
/// Confined to its event loop.
package final class MCPExchange {
    package enum End: Sendable {
        /// All answers that were waited for have come.
        case answered
        /// The server has taken the message, and this is all: of a notification, or a stream that ended early.
        case unanswered(HTTPResponseHead)
        /// A status that is no success; with the body, where there is one.
        case refused(HTTPResponseHead, body: ByteBuffer?)
        case failed(HTTPFailure)
    }

    /// For how long a stream that has broken off is tried to be fetched.
    package static let patience = TimeAmount.seconds(60)
    /// For the end of a stream behind its last answer, so that the connection can be used again.
    private static let courtesy = TimeAmount.seconds(1)

    private let connections: HTTPConnections
    private let destination: MCPDestination
    private var missing: Int
    private var delegate: (any MCPExchangeDelegate)?
    private var transfer: MCPTransfer?
    private var head: HTTPResponseHead?
    private var timer: Scheduled<Void>?
    // What it takes to fetch the rest.
    private var lastEventID: String?
    private var wanted: TimeAmount?
    private var pace = ReconnectPace()
    private var lost: (since: NIODeadline, failure: HTTPFailure?)?

    fileprivate init(
        _ connections: HTTPConnections, _ destination: MCPDestination, answers: Int, _ delegate: any MCPExchangeDelegate
    ) {
        self.connections = connections
        self.destination = destination
        self.missing = answers
        self.delegate = delegate
    }

    package var isOver: Bool { self.delegate == nil }

    /// Back pressure.
    package var isReading = true {
        didSet { self.transfer?.isReading = self.isReading }
    }

    /// Ends it at once, without a word to the delegate.
    package func cancel() {
        self.delegate = nil
        self.timer?.cancel()
        self.transfer?.cancel()
        self.transfer = nil
    }

    fileprivate func start(_ message: ByteBuffer) {
        self.transfer = self.connections.send(self.destination.post(message), to: self)
    }

    private func end(_ end: End) {
        guard let delegate = self.delegate else { return }
        self.delegate = nil
        self.timer?.cancel()
        delegate.ended(self, end)
    }
}

extension HTTPConnections {
    /// Posts a message.
    ///
    /// - Parameters:
    ///   - answers: how many responses are waited for: one for each request in it.
    ///   - delegate: is kept until the exchange is over, and hears nothing before this returns.
    package func exchange(
        _ message: ByteBuffer, with destination: MCPDestination, answers: Int, _ delegate: any MCPExchangeDelegate
    ) -> MCPExchange {
        let exchange = MCPExchange(self, destination, answers: answers, delegate)
        exchange.start(message)
        return exchange
    }
}

extension MCPExchange: MCPTransferDelegate {
    package func received(_ head: HTTPResponseHead, of transfer: MCPTransfer) {
        if self.head == nil {
            self.head = head
            self.delegate?.received(head, of: self)
        } else if head.status.isBusy {
            transfer.cancel()
            self.broken(nil)
        } else if head.status.code >= 300 {
            // The rest is not there any more.
            transfer.cancel()
            self.giveUp()
        } else {
            self.lost = nil
            self.pace.succeeded()
        }
    }

    package func received(_ event: ServerSentEvent, of transfer: MCPTransfer) {
        if let id = event.id, !event.isUnfinished { self.lastEventID = id.isEmpty ? nil : id }
        if let retry = event.retry { self.wanted = .milliseconds(Int64(retry)) }
        guard self.isSuccess, let data = event.data, data.readableBytes > 0 else { return }
        self.take(data)
        guard self.missing == 0, !self.isOver else { return }
        self.timer?.cancel()
        self.timer = self.connections.loop.assumeIsolated().scheduleTask(in: Self.courtesy) { transfer.cancel() }
        let delegate = self.delegate
        self.delegate = nil
        delegate?.ended(self, .answered)
    }

    package func ended(_ transfer: MCPTransfer, body: ByteBuffer?) {
        self.timer?.cancel()
        guard let head = self.head, !self.isOver else { return }
        guard self.isSuccess else { return self.end(.refused(head, body: body)) }
        if let body, body.readableBytes > 0 {
            self.take(body)
            return self.end(self.missing == 0 ? .answered : .unanswered(head))
        }
        self.broken(nil)
    }

    package func failed(_ transfer: MCPTransfer, _ failure: HTTPFailure) {
        self.timer?.cancel()
        guard !self.isOver else { return }
        guard self.head == nil || self.isSuccess else { return self.end(.failed(failure)) }
        self.broken(failure)
    }

    private var isSuccess: Bool { self.head.map { $0.status.code < 300 } ?? false }

    /// Hands on what has come: one message, or an array of them. What is not JSON is nobody's.
    private func take(_ bytes: ByteBuffer) {
        guard let text = try? JSONText(validating: bytes) else { return }
        guard text.kind == .array else { return self.hand(text) }
        text.elements { self.hand(text[$0]) }
    }

    private func hand(_ message: JSONText) {
        if message.member("method") == nil, message.member("result") != nil || message.member("error") != nil {
            self.missing = max(0, self.missing - 1)
        }
        self.delegate?.received(message, of: self)
    }
}

// A stream that has broken off.
extension MCPExchange {
    private func broken(_ failure: HTTPFailure?) {
        let lost = self.lost ?? (.now(), failure)
        self.lost = lost
        guard self.missing > 0, self.lastEventID != nil, self.isWorthFetching(failure) else { return self.giveUp() }
        let delay = self.wanted.map { max($0, .milliseconds(100)) } ?? self.pace.failed()
        self.wanted = nil
        guard NIODeadline.now() + delay < lost.since + Self.patience else { return self.giveUp() }
        self.timer = self.connections.loop.assumeIsolated().scheduleTask(in: delay) { self.fetch() }
    }

    private func fetch() {
        guard let lastEventID, !self.isOver else { return }
        var destination = self.destination
        destination.limits.total = nil
        self.transfer = self.connections.send(destination.listen(after: lastEventID), to: self)
        self.transfer?.isReading = self.isReading
    }

    private func isWorthFetching(_ failure: HTTPFailure?) -> Bool {
        switch failure?.reason {
        case nil, .unreachable, .slowConnection, .closed, .silent: true
        case .late, .tooLarge, .redirectedAway, .redirectedOtherwise, .redirectedTooOften, .unknownEncoding, .malformed,
            .badRequest, .shutDown:
            false
        }
    }

    private func giveUp() {
        if let failure = self.lost?.failure {
            return self.end(.failed(HTTPFailure(failure.reason, mayHaveRun: self.head != nil || failure.mayHaveRun)))
        }
        guard let head = self.head else { return self.end(.failed(HTTPFailure(.closed, mayHaveRun: true))) }
        self.end(.unanswered(head))
    }
}

import BridgeCore
package import NIOCore
package import NIOHTTP1

/// One request to an MCP endpoint, and its answer: a text, or a stream of events. Confined to its event loop.
package final class MCPTransfer {
    private enum Reading {
        /// What has come so far does not tell which.
        case undecided
        case text
        case events(NIOSingleStepByteToMessageProcessor<ServerSentEventDecoder>)
    }

    private weak var transfer: HTTPTransfer?
    private var delegate: (any MCPTransferDelegate)?
    private var reading = Reading.undecided
    private var body: BodyBytes

    /// Of the last event that had one; empty when a later one took it back.
    package private(set) var lastEventID: String?
    /// After how many milliseconds the server wants to be asked again, once the stream is over.
    package private(set) var retry: Int?

    private init(delegate: any MCPTransferDelegate, maximumMessage: Int) {
        self.delegate = delegate
        self.body = BodyBytes(limit: maximumMessage)
    }

    package var isOver: Bool { self.delegate == nil }
    package var isSent: Bool { self.transfer?.isSent ?? false }
    /// Where the request was last sent to.
    package var address: HTTPAddress? { self.transfer?.address }

    /// Back pressure, by pieces as they come from the connection: all events of one piece are handed over.
    package var isReading: Bool {
        get { self.transfer?.isReading ?? true }
        set { self.transfer?.isReading = newValue }
    }

    /// Ends it at once, without a word to the delegate.
    package func cancel() {
        self.delegate = nil
        self.transfer?.cancel()
    }

    fileprivate static func start(
        _ request: HTTPRequest, on connections: HTTPConnections, maximumMessage: Int,
        delegate: any MCPTransferDelegate
    ) -> MCPTransfer {
        let transfer = MCPTransfer(delegate: delegate, maximumMessage: maximumMessage)
        transfer.transfer = connections.send(request, to: transfer)
        return transfer
    }
}

extension HTTPConnections {
    /// Sends a request of an ``MCPDestination``. The delegate is kept until the transfer is over, and hears nothing before
    /// this returns.
    ///
    /// - Parameter maximumMessage: in bytes, of a text and of a single event.
    package func send(
        _ request: HTTPRequest, maximumMessage: Int = Frame.maximumPayload, to delegate: any MCPTransferDelegate
    ) -> MCPTransfer {
        MCPTransfer.start(request, on: self, maximumMessage: maximumMessage, delegate: delegate)
    }
}

extension MCPTransfer: HTTPTransferDelegate {
    package func received(_ head: HTTPResponseHead, of transfer: HTTPTransfer) {
        if let kind = AnswerKind(head.headers) { self.decide(kind) }
        self.delegate?.received(head, of: self)
    }

    package func received(_ bytes: ByteBuffer, of transfer: HTTPTransfer) {
        self.delegate?.heard(self)
        guard self.delegate != nil else { return }
        switch self.reading {
        case .undecided:
            guard self.collect(bytes), let kind = AnswerKind(self.body.bytes) else { return }
            self.decide(kind)
            if case .events(let processor) = self.reading {
                let begun = self.body.bytes
                self.body = BodyBytes(limit: self.body.limit)
                self.decode { try processor.process(buffer: begun, $0) }
            }
        case .text:
            _ = self.collect(bytes)
        case .events(let processor):
            self.decode { try processor.process(buffer: bytes, $0) }
        }
    }

    package func ended(_ transfer: HTTPTransfer) {
        if case .events(let processor) = self.reading {
            self.decode { try processor.finishProcessing(seenEOF: true, $0) }
            self.finish()?.ended(self, body: nil)
        } else {
            var body = self.body.bytes
            body.skipByteOrderMark()
            self.finish()?.ended(self, body: body)
        }
    }

    package func failed(_ transfer: HTTPTransfer, _ failure: HTTPFailure) {
        self.finish()?.failed(self, failure)
    }

    private func decide(_ kind: AnswerKind) {
        switch kind {
        case .text: self.reading = .text
        case .events:
            let decoder = ServerSentEventDecoder(maximumEvent: self.body.limit)
            self.reading = .events(NIOSingleStepByteToMessageProcessor(decoder))
        }
    }

    private func collect(_ bytes: ByteBuffer) -> Bool {
        if self.body.append(bytes) { return true }
        self.refuse()
        return false
    }

    private func decode(_ process: ((ServerSentEvent) -> Void) throws -> Void) {
        do {
            try process { event in
                // Cancelled by who heard the one before.
                guard let delegate = self.delegate else { return }
                if let id = event.id, !event.isUnfinished { self.lastEventID = id }
                if let retry = event.retry { self.retry = retry }
                delegate.received(event, of: self)
            }
        } catch {
            self.refuse()
        }
    }

    /// The decoder throws for nothing else than a text does: it is too long.
    private func refuse() {
        let transfer = self.transfer
        let delegate = self.finish()
        transfer?.cancel()
        delegate?.failed(self, HTTPFailure(.tooLarge(limit: self.body.limit), mayHaveRun: true))
    }

    private func finish() -> (any MCPTransferDelegate)? {
        defer { self.delegate = nil }
        return self.delegate
    }
}

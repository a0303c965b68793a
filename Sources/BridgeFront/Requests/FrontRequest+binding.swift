import BridgeCore
import BridgeLink
import NIOCore

// MARK: Who asks, by a number

extension FrontRequest {
    /// The header that opens the exchange: the number of who asks, where the session worker knows it on the link that there
    /// is; else all that is to be known of them.
    ///
    /// A payload that is counted there may have to wait for room, in the name of its session. It always comes with the whole
    /// header, and binds nothing. So all that goes by numbers begins in the order in which it was sent.
    func opening(_ id: RequestID?) -> JSONText {
        self.binding = nil
        guard let caller = self.asker, self.state.session.isConnected, !self.mayWaitForRoom else {
            return self.request(id).text
        }
        switch caller.open() {
        case .binds(let number):
            self.binding = (number, isKnown: false)
            var request = self.request(id)
            request.binding = number
            return request.text
        case .isBound(let number, let header):
            self.binding = (number, isKnown: true)
            guard let id else { return header }
            return SessionOpening.bound(number, requestID: id.description).text(capacity: 64)
        }
    }

    /// How the session worker is told who asks: as is known of the session, or of the connection.
    private var asker: CallerBinding? {
        self.operation == .post ? self.session?.caller ?? self.caller : nil
    }

    private func request(_ id: RequestID?) -> SessionRequest {
        var request = self.verdict.request(self.operation, id: id)
        guard self.endpoint.isStreamed else { return request }
        request.sessionID = self.session?.sealed
        request.names = self.session?.names
        return request
    }

    private var mayWaitForRoom: Bool {
        (self.payload?.bytes.readableBytes ?? 0) >= PayloadShares<String>.smallest
    }

    /// The session worker serves it, and so knows who asks by the number, if it was given one.
    func takenUp() {
        guard let binding else { return }
        if !binding.isKnown { self.asker?.taken(binding.number) }
        self.binding = nil
    }

    /// Whether the session worker ends the exchange because it does not know the number that it was given.
    func isUnknown(_ end: JSONText) -> Bool { end.bytes == SessionEnd.unknownBinding.bytes }

    /// Nothing has run: it is sent again, in full.
    ///
    /// - Parameter payload: what was sent, from where nothing was done with it.
    func openInFull(_ payload: ByteBuffer?) {
        if let binding { self.asker?.unknown(binding.number) }
        self.failed(self.machine.unknownBinding()) {
            if self.payload == nil { self.payload = payload.map { CollectedBody(bytes: $0) } }
            self.open()
        }
    }
}

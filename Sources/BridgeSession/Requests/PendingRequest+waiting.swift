import BridgeCore

/// By what a request that waits for another's answer is known again.
extension PendingRequest {
    func isSame(as other: PendingRequest) -> Bool { self.id == other.id && self.stream === other.stream }

    /// Whether its client cannot tell the answers of the two apart.
    func hasTheID(of other: PendingRequest) -> Bool { self.id == other.id && self.caller === other.caller }

    /// Whether it is this caller's, and no call of it is under way.
    func isWaiting(for caller: Caller) -> Bool {
        self.caller === caller && caller.calls[self.id]?.stream !== self.stream
    }
}

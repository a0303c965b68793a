// Which calls may be those that the upstream speaks of.

extension PendingCalls {
    /// Whether this call is under way, and its client can be asked.
    func isAskable(_ id: Int) -> Bool { self.calls[id].map { $0.isWritten && $0.isAskable } ?? false }

    /// The one call that the upstream is busy with, if there is just one.
    var onlyWritten: (id: Int, caller: Caller)? {
        guard self.writtenCount == 1 else { return nil }
        return self.calls.first { $0.value.isWritten }.map { ($0.key, $0.value.caller) }
    }

    /// The same, among those that take turns.
    var onlyInTurn: (id: Int, caller: Caller)? {
        guard self.writtenCount - self.turnlessWritten == 1 else { return nil }
        return self.calls.first { $0.value.isWritten && $0.value.takesTurns }.map { ($0.key, $0.value.caller) }
    }

    /// The newest call that the upstream is busy with and whose client can be asked; one that asks nothing yet, if there is.
    func likelyAsker(isAsking: (Int) -> Bool) -> (id: Int, caller: Caller)? {
        let askable = self.calls.filter { $0.value.isWritten && $0.value.isAskable }
        let quiet = askable.filter { !isAsking($0.key) }
        return (quiet.isEmpty ? askable : quiet).max { $0.key < $1.key }.map { ($0.key, $0.value.caller) }
    }

    /// The calls that the upstream is busy with.
    var written: [Int] { self.calls.filter(\.value.isWritten).map(\.key) }
}

/// Remembers since when dead processes have been waiting, and says which to reap.
struct OrphanLedger {
    private var seen: [ProcessIdentity: SuspendingClock.Instant] = [:]

    /// - Parameter dead: all there are.
    /// - Returns: Those whose grace is over, and when the next one's will be; `nil` when nothing new has to be awaited.
    mutating func looked(
        dead: Set<ProcessIdentity>,
        at now: SuspendingClock.Instant,
        grace: Duration
    ) -> (reap: Set<ProcessIdentity>, lookAgain: SuspendingClock.Instant?) {
        // The others were reaped by whoever had started them.
        self.seen = self.seen.filter { dead.contains($0.key) }
        var arrived = false
        for process in dead where self.seen[process] == nil {
            self.seen[process] = now
            arrived = true
        }
        let due = Set(self.seen.filter { $0.value.advanced(by: grace) <= now }.keys)
        for process in due { self.seen[process] = nil }
        // Earlier arrivals have had their look announced.
        let lookAgain = arrived && !self.seen.isEmpty ? now.advanced(by: grace) : nil
        return (due, lookAgain)
    }
}

import NIOCore

/// Decides how many records of the log a request to a model has: two, what came and what went; or one, where there are more
/// requests in a second than a log should bear. The audit has a row of each in any case.
struct RecordPace {
    /// Requests in a second that have two.
    static let limit = 1_000

    private var second = NIODeadline.uptimeNanoseconds(0)
    private var count = 0

    /// Counts a request.
    ///
    /// - Returns: whether it has a record of its own for what came.
    mutating func takesTwo(_ now: NIODeadline) -> Bool {
        if now - self.second >= .seconds(1) {
            self.second = now
            self.count = 0
        }
        self.count += 1
        return self.count <= Self.limit
    }
}

import NIOCore

/// How soon one list is read again.
///
/// A server that says after every list that it has changed would be asked for ever, ten times a second. So each list that
/// was read for such a word makes the next wait twice as long: up to the interval at which lists are read anyway while they
/// bring nothing new, and for less than a second where they do. A list that was read without such a word ends that.
///
/// Pure. With a debounce of 100 ms: 100, 200, 400, 800 ms, 1.6 s, …
struct ListPace {
    /// So many in a row that bring nothing new are no accident.
    private static let accidents = 5
    private static let maximumDoublings = 20
    /// Of a list that does change.
    private static let doublingsOfNews = 3

    private var doublings = 0
    private var fruitless = 0
    private var failures = 0

    /// Whether the server says again and again that the list has changed, and it has not.
    var isMisled: Bool { self.fruitless >= Self.accidents }

    /// Whether the last one failed, and the one before did not.
    var hasJustFailed: Bool { self.failures == 1 }

    mutating func read(forChange: Bool, isNew: Bool, isWhole: Bool) {
        self.failures = isWhole ? 0 : min(self.failures + 1, Self.maximumDoublings)
        guard forChange else {
            (self.doublings, self.fruitless) = (0, 0)
            return
        }
        self.doublings = min(self.doublings + 1, isNew ? Self.doublingsOfNews : Self.maximumDoublings)
        self.fruitless = isNew ? 0 : self.fruitless + 1
    }

    /// From `list_changed` to the list.
    func debounce(_ intervals: Upkeep.Intervals) -> TimeAmount {
        min(intervals.debounce * (1 << self.doublings), max(intervals.refresh, intervals.debounce))
    }

    /// From one list to the next, without a word of the server.
    func interval(_ intervals: Upkeep.Intervals) -> TimeAmount {
        guard self.failures > 0 else { return intervals.refresh }
        return min(intervals.retry * (1 << (self.failures - 1)), intervals.refresh)
    }
}

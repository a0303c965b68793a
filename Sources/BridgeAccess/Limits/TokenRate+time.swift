extension TokenRate {
    /// What one request takes of the time, in microseconds. Rounded up: the rate is never exceeded for a fraction.
    var width: Int64 {
        let microseconds = Int64(self.period.seconds) * 1_000_000
        return (microseconds + Int64(self.count) - 1) / Int64(self.count)
    }

    /// What all that may come at once takes.
    var burst: Int64 { Int64(self.count) * self.width }
}

/// When a token is to be refreshed by itself.
package struct RefreshSchedule: Sendable, Equatable {
    /// Two refreshes are never nearer to each other, in seconds.
    static let least = 5.0
    /// Who lives for less is refreshed at half of it.
    private static let short = 60.0
    /// A clock that jumps by more is looked at anew.
    private static let jump = 60.0

    /// nil where nobody knows how long it lives: then its refusal says so.
    package private(set) var due: Moment?
    package private(set) var end: Moment?
    private var looked: Moment

    /// - Parameter draw: a random number from 0 up to 1.
    init(issued: Double, expires: Double?, now: Moment, draw: Double) {
        self.looked = now
        guard let expires, expires > issued else { return }
        let life = expires - issued
        let share = life < Self.short ? 0.5 : 0.75 + 0.1 * min(max(draw, 0), 1)
        self.due = Self.moment(issued + max(life * share, Self.least), now)
        self.end = Self.moment(expires, now)
    }

    private static func moment(_ wall: Double, _ now: Moment) -> Moment {
        Moment(wall: wall, steady: now.steady + max(0, wall - now.wall))
    }

    /// The time of day may have gone on without the other clock: the machine slept, or somebody has set it. What is due is
    /// counted anew, and never for later than before.
    mutating func look(_ now: Moment) {
        defer { self.looked = now }
        let drift = (now.wall - self.looked.wall) - (now.steady - self.looked.steady)
        guard drift > Self.jump else { return }
        for path in [\RefreshSchedule.due, \RefreshSchedule.end] {
            guard let moment = self[keyPath: path] else { continue }
            let steady = min(moment.steady, now.steady + max(0, moment.wall - now.wall))
            let anew = Moment(wall: moment.wall, steady: steady)
            if path == \RefreshSchedule.due { self.due = anew } else { self.end = anew }
        }
    }

    func isDue(_ now: Moment) -> Bool { self.due?.isPast(now) ?? false }
    func isOver(_ now: Moment) -> Bool { self.end?.isPast(now) ?? false }
}

/// When a token is to be refreshed by itself: by whichever clock says so first, so that neither a suspend nor a clock that is set
/// back delays it.
package struct RefreshSchedule: Sendable, Equatable {
    /// Two refreshes are never nearer to each other, in seconds.
    static let least = 5.0
    /// Who lives for less is refreshed at half of it.
    private static let short = 60.0

    /// nil where nobody knows how long it lives: then its refusal says so.
    package private(set) var due: Moment?
    package private(set) var end: Moment?

    /// - Parameters:
    ///   - refreshExpires: when the refresh token ends, which is used before that, however long the other one is good for.
    ///   - draw: a random number from 0 up to 1.
    init(issued: Double, expires: Double?, refreshExpires: Double? = nil, now: Moment, draw: Double) {
        if let expires, expires > issued { self.end = Self.moment(expires, now) }
        let lives = [expires, refreshExpires].compactMap { $0 }.map { $0 - issued }.filter { $0 > 0 }
        guard let life = lives.min() else { return }
        let share = life < Self.short ? 0.5 : 0.75 + 0.1 * min(max(draw, 0), 1)
        self.due = Self.moment(issued + max(life * share, Self.least), now)
    }

    private static func moment(_ wall: Double, _ now: Moment) -> Moment {
        Moment(wall: wall, steady: now.steady + max(0, wall - now.wall))
    }

    func isDue(_ now: Moment) -> Bool { self.due?.isPast(now) ?? false }
    func isOver(_ now: Moment) -> Bool { self.end?.isPast(now) ?? false }
}

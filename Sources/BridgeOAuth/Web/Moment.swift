/// A point in time by two clocks: the time of day, which jumps, and one that stands still while the machine sleeps. In seconds.
///
/// What is due counts by whichever says so first: a timer alone sleeps through a suspend, the time of day alone believes
/// whoever sets it back.
package struct Moment: Sendable, Equatable {
    /// Since 1970.
    package var wall: Double
    package var steady: Double

    package init(wall: Double, steady: Double) {
        self.wall = wall
        self.steady = steady
    }

    package func adding(_ seconds: Double) -> Moment {
        Moment(wall: self.wall + seconds, steady: self.steady + seconds)
    }

    /// Whether it has come, by either clock.
    package func isPast(_ now: Moment) -> Bool { now.wall >= self.wall || now.steady >= self.steady }

    /// How long it is until then at most: what is left by the clock that is nearer.
    package func left(from now: Moment) -> Double { max(0, min(self.wall - now.wall, self.steady - now.steady)) }
}

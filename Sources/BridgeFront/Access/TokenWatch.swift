import NIOCore

/// Ends what is under way in the name of a token that is good no longer: at once when the tokens are others, and at the
/// second in which one expires. Confined to the event loop.
final class TokenWatch {
    private let loop: any EventLoop
    /// Ends what is to be ended at a second, and says which token of what is left expires first, and when.
    var look: ((Int) -> Int?)?
    private var timer: (task: Scheduled<Void>, at: Int)?
    /// The time of day may be set, and stands while the machine sleeps: it is looked at as often as this, in seconds.
    private static let longest: Int64 = 5

    init(loop: any EventLoop) { self.loop = loop }

    /// Something is under way until a second.
    func watch(_ expires: Int) {
        if let timer, timer.at <= expires { return }
        self.timer?.task.cancel()
        self.schedule(expires)
    }

    /// Looks now.
    func lookNow() {
        self.timer?.task.cancel()
        self.timer = nil
        if let next = self.look?(WallClock.seconds()) { self.schedule(next) }
    }

    private func schedule(_ expires: Int) {
        let left = Int64(expires) * 1_000_000 - WallClock.microseconds()
        let wait = min(max(0, left), Self.longest * 1_000_000)
        let task = self.loop.assumeIsolated().scheduleTask(in: .microseconds(wait)) { [weak self] () -> Void in
            self?.lookNow()
        }
        self.timer = (task, expires)
    }
}

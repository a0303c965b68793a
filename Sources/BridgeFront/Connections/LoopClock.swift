import NIOCore

/// The time, read once for each thing that the event loop reports. Confined to the loop.
///
/// Who is called by the loop refreshes it (bytes of a client, frames of a worker, timers); whatever runs because of that
/// takes what is there.
final class LoopClock {
    private(set) var now = NIODeadline.now()

    @discardableResult
    func refresh() -> NIODeadline {
        self.now = .now()
        return self.now
    }
}

import NIOCore

/// One timer that goes off no later than at the earliest time it was armed for.
///
/// It may go off too early, when what it was armed for has been settled meanwhile: who hears it looks at the time. So
/// arming it costs a comparison almost always. Confined to its event loop.
final class Alarm {
    private let loop: any EventLoop
    private var scheduled: (time: NIODeadline, task: Scheduled<Void>)?
    var onTime: (() -> Void)?

    init(loop: any EventLoop) {
        self.loop = loop
    }

    func arm(at time: NIODeadline) {
        if let scheduled {
            guard time < scheduled.time else { return }
            scheduled.task.cancel()
        }
        let this = NIOLoopBound(self, eventLoop: self.loop)
        self.scheduled = (time, self.loop.scheduleTask(deadline: time) { this.value.ring() })
    }

    func disarm() {
        self.scheduled?.task.cancel()
        self.scheduled = nil
        self.onTime = nil
    }

    private func ring() {
        self.scheduled = nil
        self.onTime?()
    }
}

import BridgeConfiguration
import NIOCore

extension ClientConnection {
    /// The client waits for us: its body is not read until there is room for it.
    func holdBody(_ isHeld: Bool) {
        self.clock.bodyHeld(isHeld, self.state.clock.refresh())
        self.arm()
    }

    /// Sees to it that the clock is asked in time. The one timer is moved only when it would be late: while requests come
    /// and go it is not touched.
    func arm() {
        guard !self.isEnded, let context = self.context, let deadline = self.clock.deadline else { return }
        if let timer = self.timer {
            if timer.at <= deadline { return }
            timer.task.cancel()
        }
        let task = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.timerFired() }
        self.timer = (task, deadline)
    }

    private func timerFired() {
        self.timer = nil
        guard let context = self.context else { return }
        switch self.clock.expired(self.state.clock.refresh()) {
        case .none: break
        case .closeQuietly, .closeNow: context.close(promise: nil)
        case .requestTimeout:
            let limits = self.table.limits
            let isBody = self.clock.isReadingBody
            self.refuse(
                .requestTimeout(
                    limit: isBody
                        ? "\(limits.bodyTimeout.words), and longer as it is longer (limits.bodyTimeout)"
                        : "\(limits.headerTimeout.words) (limits.headerTimeout)"))
        case .checkWriter: self.checkWriter(context)
        }
        self.arm()
    }

    /// Closes on a client that has read nothing since the last look.
    private func checkWriter(_ context: ChannelHandlerContext) {
        guard let pending = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes) else { return }
        if self.pendingOctets.map({ pending < $0 }) ?? true {
            self.pendingOctets = pending
            self.clock.writerMoved(self.state.clock.now)
        } else {
            self.table.refused(.slowReader)
            context.close(promise: nil)
        }
    }
}

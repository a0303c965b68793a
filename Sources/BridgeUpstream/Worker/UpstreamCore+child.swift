import BridgeProcess
import Glibc
import Logging
import NIOCore

/// What becomes of the child.
extension UpstreamCore: ChildDelegate {
    func childStarted(_ child: Child, pid: pid_t) {
        guard child === self.child else { return }
        self.pid = pid
        self.initialize()
        self.announcer.stateChanged()
    }

    func childSpoke(_ child: Child) {
        guard child === self.child, self.upkeep.heard(now: .now()) else { return }
        self.rearm()
        self.scheduleDrain()
    }

    func child(_ child: Child, received line: LineDecoder.Line) {
        guard child === self.child, self.pid != nil else { return }
        self.received(line)
    }

    func childBecameWritable(_ child: Child) {
        if child === self.child { self.scheduleDrain() }
    }

    func child(_ child: Child, wroteError line: ByteBuffer) {
        // Its own chatter; what goes wrong with it is told at warning, in other words.
        self.logger.info(
            "upstream stderr", metadata: ["text": "\(ForeignText.printable(line, limit: StderrLines.maximumOctets))"]
        )
    }

    func child(_ child: Child, droppedErrorLines count: Int) {
        self.logger.info("upstream stderr lines dropped", metadata: ["mcp.dropped": "\(count)"])
    }

    func childLost(_ child: Child, reason: String) {
        // What the child last wrote is in the log. It may hold a secret, and the reason is told to every client.
        guard child === self.child else { return }
        self.lost(reason)
    }

    func childEnded(_ child: Child) {
        guard child === self.child else { return }
        self.child = nil
        self.perform(self.lifecycle.ended(now: .now()))
    }
}

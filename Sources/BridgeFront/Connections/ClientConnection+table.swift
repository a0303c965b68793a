import BridgeConfiguration
import BridgeCore
import NIOCore

/// What the table of all connections asks of one.
extension ClientConnection {
    /// Closes the connection at once.
    func evict() {
        self.table.remove(self)
        self.payloads.close()
        self.context?.close(promise: nil)
    }

    func reconfigure(_ limits: FrontLimits) {
        self.clock.limits = .init(limits)
        self.arm()
    }

    /// How much has left of what was written since the client last had read everything.
    var octetsRead: Int {
        let waiting = try? self.context?.channel.syncOptions?.getOption(.bufferedWritableBytes)
        return max(0, self.payloads.written - (waiting ?? 0))
    }
}

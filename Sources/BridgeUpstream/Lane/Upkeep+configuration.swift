import BridgeConfiguration
import BridgeCore

extension Upkeep.Intervals {
    init(_ configuration: UpstreamConfiguration) {
        self.init(
            refresh: configuration.refreshInterval.timeAmount, ping: configuration.pingInterval.timeAmount,
            pingTimeout: configuration.timeouts.ping.timeAmount, idleStop: configuration.idleStop?.timeAmount
        )
    }
}

import BridgeConfiguration
import BridgeCore

extension Backoff {
    init(_ policy: ReconnectPolicy, failures: Int = 0) {
        self.init(base: policy.base.duration, maximum: policy.maximum.duration, failures: failures)
    }
}

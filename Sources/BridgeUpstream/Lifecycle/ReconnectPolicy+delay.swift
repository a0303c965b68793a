import BridgeCore
import NIOCore

extension ReconnectPolicy {
    /// How long to wait before the next attempt, drawn from the upper half of the ceiling.
    ///
    /// With the standard policy the ceilings are 1, 2, 4, 8, 16, 32 s after 0 to 5 failures and 60 s after more.
    ///
    /// - Parameter random: in 0..<1.
    func delay(afterFailures failures: Int, random: Double) -> TimeAmount {
        let doubled = self.base.rawValue * Double(1 << min(max(failures, 0), 6))
        let ceiling = min(self.maximum.rawValue, doubled)
        return Seconds(ceiling * (0.5 + 0.5 * random)).timeAmount
    }
}

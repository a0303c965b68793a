import NIOCore

extension PendingCalls {
    struct Call {
        let caller: Caller
        /// What it weighs while it waits.
        let octets: Int
        let timeout: TimeAmount
        /// Whether its client can be asked something.
        let isAskable: Bool
        /// Whether it counts where calls run one at a time.
        let takesTurns: Bool
        let arrived: NIODeadline
        /// What is left of its time, while its client is being asked.
        var rest: TimeAmount?
        var deadline: NIODeadline
        /// From here on it may have run.
        var isWritten = false
    }
}

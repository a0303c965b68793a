import BridgeConfiguration

/// How long a server may take from its start to its answer to `initialize`.
///
/// Programs that are downloaded at their first start (`npx`, `uvx`) may take longer than anybody has thought, and throw away
/// what they have when they are ended. So a start that was too slow is followed by one with twice the time, unless the
/// server's own entry says how long it may take.
struct ConnectPatience {
    private static let maximum = Seconds(300)

    private var slowStarts = 0

    func limit(_ timeouts: UpstreamTimeouts) -> Seconds {
        guard !timeouts.isConnectFixed else { return timeouts.connect }
        let doubled = timeouts.connect.rawValue * Double(1 << min(self.slowStarts, 20))
        return max(timeouts.connect, min(Seconds(doubled), Self.maximum))
    }

    /// A start took too long.
    ///
    /// - Returns: what is said of it.
    mutating func exceeded(_ timeouts: UpstreamTimeouts) -> String {
        let limit = self.limit(timeouts)
        self.slowStarts += 1
        let next = self.limit(timeouts)
        let words = "it did not answer initialize within \(limit.words) (timeouts.connect)"
        return next > limit ? "\(words); the next start gets \(next.words)" : words
    }

    mutating func connected() { self.slowStarts = 0 }
}

/// Decides what is taken of a client, by what is under way already.
///
/// Beyond ``limit`` requests are refused. What holds no request is carried on, up to twice as much: requests may be waiting
/// for it, as the answer to a question or a cancellation. Then nothing more is read.
struct StdioIntake {
    /// Lines, and their bytes.
    struct Amount: Equatable {
        var lines = 0
        var octets = 0
    }

    static let limit = Amount(lines: 1_024, octets: 64 << 20)
    /// What a client is told whose request is refused.
    static let words = "Too much is under way: \(limit.lines) lines or \(limit.octets >> 20) MiB, a fixed limit"
    /// Answers of our own that nobody has read, in bytes: reading less of the bridge does not hold them up.
    static let unread = 8 << 20

    /// Handed over, and not yet arrived at the relay.
    private var queued = Amount()
    private var underWay = Amount()

    /// - Parameter unread: bytes of answers of our own.
    func reads(unread: Int) -> Bool {
        unread <= Self.unread && self.lines < 2 * Self.limit.lines && self.octets < 2 * Self.limit.octets
    }

    /// Counts a line as handed over, if it may be. A line alone may always.
    mutating func takes(_ octets: Int, isRequest: Bool) -> Bool {
        let isBeyond = self.lines >= Self.limit.lines || self.octets + octets > Self.limit.octets
        if isRequest, isBeyond, self.lines > 0 { return false }
        self.queued.lines += 1
        self.queued.octets += octets
        return true
    }

    /// The relay has it, which has this much under way now.
    mutating func arrived(_ octets: Int, _ underWay: Amount) {
        self.queued.lines -= 1
        self.queued.octets -= octets
        self.underWay = underWay
    }

    mutating func changed(_ underWay: Amount) { self.underWay = underWay }

    private var lines: Int { self.queued.lines + self.underWay.lines }
    private var octets: Int { self.queued.octets + self.underWay.octets }
}

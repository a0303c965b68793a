import NIOCore

/// Decides when the service's processes are asked what memory they use, and keeps what they said. Pure: time is passed in.
///
/// Looking costs each process milliseconds. So what is known serves for a while, unless somebody wants it fresh; and one
/// round of questions serves all who ask meanwhile.
struct MemoryBook {
    enum Asked: Equatable {
        /// What is known is good.
        case known
        /// Ask the processes: ``begin(_:)``.
        case ask
        /// They are being asked.
        case underWay
    }

    /// How long what is known serves.
    static let keeping = TimeAmount.seconds(10)

    /// By process.
    private(set) var reports: [String: MemoryReport] = [:]
    private var knownAt: NIODeadline?
    private var round: (missing: Set<String>, told: [String: MemoryReport])?

    func asked(fresh: Bool, at now: NIODeadline) -> Asked {
        if self.round != nil { return .underWay }
        guard let knownAt = self.knownAt, !fresh, now < knownAt + Self.keeping else { return .ask }
        return .known
    }

    mutating func begin(_ processes: Set<String>) { self.round = (processes, [:]) }

    /// - Parameter report: `nil` when the process cannot tell.
    /// - Returns: whether this was the last that was missing.
    mutating func told(_ process: String, _ report: MemoryReport?, at now: NIODeadline) -> Bool {
        guard self.round?.missing.remove(process) != nil else { return false }
        self.round?.told[process] = report
        return self.round?.missing.isEmpty == true && self.conclude(at: now)
    }

    /// All have spoken, or the time is up. A process that has not is left out.
    ///
    /// - Returns: whether there was a round to conclude.
    mutating func conclude(at now: NIODeadline) -> Bool {
        guard let round = self.round else { return false }
        self.reports = round.told
        self.knownAt = now
        self.round = nil
        return true
    }
}

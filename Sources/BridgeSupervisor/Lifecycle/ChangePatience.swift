/// How long servers that are being added may take to come up.
///
/// They are promised their time from when their processes begin: what they replace may first have to end. Pure; times are
/// measured from one arbitrary instant.
package struct ChangePatience: Sendable, Equatable {
    private let patience: Duration
    /// Over then, whatever has begun.
    private let end: Duration
    private var begun: Duration?

    /// - Parameters:
    ///   - patience: from when everything has begun.
    ///   - delay: how long that may take.
    package init(_ patience: Duration, beginningWithin delay: Duration = .zero, at now: Duration) {
        self.patience = patience
        self.end = now + delay + patience
    }

    /// - Parameter hasBegun: whether all processes have begun; once is enough.
    package mutating func isOver(at now: Duration, hasBegun: Bool) -> Bool {
        if hasBegun, self.begun == nil { self.begun = now }
        return now >= min(self.end, self.begun.map { $0 + self.patience } ?? self.end)
    }
}

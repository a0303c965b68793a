import BridgeCore
import BridgeMCP

/// The lists of one upstream while they are read over one connection. Pure.
struct Lists {
    /// What is listed, of any server.
    let offerings: [Offering]
    private var running: [Offering: Listing] = [:]
    /// What has not been listed yet, well or badly.
    private var unlisted: Set<Offering>
    /// What the server does not say it has, and is asked for once all the same.
    private var presumed: Set<Offering> = []

    init(_ offerings: [Offering]) {
        self.offerings = offerings
        self.unlisted = Set(offerings)
    }

    /// The server has said what it lists.
    ///
    /// - Returns: what it is asked for.
    mutating func announced(_ isListed: (Offering) -> Bool) -> [Offering] {
        self.presumed = Set(self.offerings.filter { !isListed($0) && $0.isAskedForAnyway })
        return self.offerings.filter { isListed($0) || $0.isAskedForAnyway }
    }

    /// A list has failed.
    ///
    /// - Returns: whether the server has told by that that it has none, having said nothing of one before.
    mutating func isAbsent(_ offering: Offering) -> Bool { self.presumed.remove(offering) != nil }

    /// Whether everything has been listed, well or badly.
    var areRead: Bool { self.unlisted.isEmpty }

    /// Begins a list, which must end with ``over(_:)``.
    ///
    /// - Parameter hasTasks: whether the server's tools can be called as tasks.
    mutating func begin(_ offering: Offering, hasTasks: Bool = true) {
        self.running[offering] = Listing(of: offering)
        self.running[offering]?.hasTasks = hasTasks
    }

    /// - Parameter result: of a response to the list's request.
    /// - Returns: what comes next, and all that has been listed when it is complete; `nil` when nothing is being listed.
    mutating func page(_ result: JSONText, of offering: Offering) -> (step: Listing.Step, listing: Listing)? {
        self.go(on: offering) { $0.page(result) }
    }

    /// There is no next page. As ``page(_:of:)``.
    mutating func cut(_ offering: Offering, _ reason: String) -> (step: Listing.Step, listing: Listing)? {
        self.go(on: offering) { $0.cut(reason) }
    }

    private mutating func go(
        on offering: Offering, _ body: (inout Listing) -> Listing.Step
    ) -> (step: Listing.Step, listing: Listing)? {
        guard var listing = self.running.removeValue(forKey: offering) else { return nil }
        let step = body(&listing)
        switch step {
        case .next: self.running[offering] = listing
        case .complete: self.presumed.remove(offering)
        case .failed: break
        }
        return (step, listing)
    }

    /// A list has ended, well or badly.
    ///
    /// - Returns: whether everything has been listed now for the first time.
    mutating func over(_ offering: Offering) -> Bool {
        self.running[offering] = nil
        return self.unlisted.remove(offering) != nil && self.unlisted.isEmpty
    }

    /// What a notification says has changed.
    func changed(by method: String) -> [Offering] { Offering.changed(by: method, among: self.offerings) }
}

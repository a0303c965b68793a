import BridgeCore
import BridgeMCP

/// The lists of one upstream while they are read over one connection. Pure.
struct Lists {
    /// What is listed, of any server.
    let offerings: [Offering]
    private var running: [Offering: Listing] = [:]
    /// What has not been listed yet, well or badly.
    private var unlisted: Set<Offering>

    init(_ offerings: [Offering]) {
        self.offerings = offerings
        self.unlisted = Set(offerings)
    }

    /// Begins a list, which must end with ``over(_:)``.
    mutating func begin(_ offering: Offering) { self.running[offering] = Listing(of: offering) }

    /// - Parameter result: of a response to the list's request.
    /// - Returns: what comes next, and all that has been listed when it is complete; `nil` when nothing is being listed.
    mutating func page(_ result: JSONText, of offering: Offering) -> (step: Listing.Step, listing: Listing)? {
        guard var listing = self.running.removeValue(forKey: offering) else { return nil }
        let step = listing.page(result)
        if case .next = step { self.running[offering] = listing }
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

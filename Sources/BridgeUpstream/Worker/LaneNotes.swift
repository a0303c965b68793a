import BridgeCore
import BridgeMCP

/// What is heard of a lane that not everybody shares: only what its owner is to be told. Its server is listed and subscribed
/// to over the lane that everybody shares.
final class LaneNotes: LaneNews {
    private let owner: String
    private let announcer: Announcer

    init(of owner: String, announcer: Announcer) {
        self.owner = owner
        self.announcer = announcer
    }

    func connected(to identity: UpstreamIdentity) {}
    func listed(_ listing: Listing) {}
    func replaced() {}

    func noted(_ notification: JSONText) {
        switch notification.string("method") {
        case "notifications/resources/updated": break
        case let method? where method.hasSuffix("/list_changed"): break
        default: self.announcer.noted(notification, for: self.owner)
        }
    }

    /// Whoever's lane it came over, it is for whoever has the task.
    func noted(_ notification: JSONText, ofTaskIn life: Int) { self.announcer.noted(notification, ofTaskIn: life) }
}

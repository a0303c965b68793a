import BridgeConfiguration

/// Which lanes of one upstream there are beside the one that everybody shares, and which of them goes where there is no room
/// for another. Pure, but for the lanes themselves.
///
/// A lane of its own begins with the first call of whoever it belongs to, and ends after ``idleTime`` without a call.
struct LaneTable<Lane: AnyObject> {
    /// A lane that nobody uses ends after so long.
    static var idleTime: Seconds { 300 }

    private var byOwner: [String: Lane] = [:]

    var all: some Collection<Lane> { self.byOwner.values }
    var count: Int { self.byOwner.count }

    subscript(owner: String) -> Lane? { self.byOwner[owner] }

    mutating func keep(_ lane: Lane, of owner: String) { self.byOwner[owner] = lane }

    /// A lane takes no further calls: who comes next gets another.
    ///
    /// - Returns: whether it was one of them.
    mutating func letGo(_ lane: Lane) -> Bool {
        guard let owner = self.owner(of: lane) else { return false }
        self.byOwner[owner] = nil
        return true
    }

    func owner(of lane: Lane) -> String? { self.byOwner.first { $0.value === lane }?.key }

    /// What has to go before another lane begins.
    ///
    /// - Parameter isIdle: whether no call of a lane is under way, and no task.
    enum Room {
        case free
        case after(Lane)
        case none
    }

    func room(for limit: Int, isIdle: (Lane) -> Bool) -> Room {
        guard self.count >= limit else { return .free }
        return self.byOwner.values.first(where: isIdle).map(Room.after) ?? .none
    }
}

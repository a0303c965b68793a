import BridgeConfiguration

/// Which lanes of one upstream there are beside the one that everybody shares, and which of them goes where there is no room
/// for another. Pure, but for the lanes themselves.
///
/// A lane of its own begins with the first call of whoever it belongs to, and ends after ``idleTime`` without a call.
struct LaneTable<Lane: AnyObject> {
    /// A lane that nobody uses ends after so long.
    static var idleTime: Seconds { 300 }

    private var byOwner: [String: (lane: Lane, lastUse: UInt64)] = [:]
    private var uses: UInt64 = 0

    var all: some Collection<Lane> { self.byOwner.values.map(\.lane) }
    var count: Int { self.byOwner.count }

    /// The lane that an owner has, for another call.
    mutating func use(of owner: String) -> Lane? {
        guard let lane = self.byOwner[owner]?.lane else { return nil }
        self.keep(lane, of: owner)
        return lane
    }

    mutating func keep(_ lane: Lane, of owner: String) {
        self.uses += 1
        self.byOwner[owner] = (lane, self.uses)
    }

    /// A lane takes no further calls: who comes next gets another.
    ///
    /// - Returns: whether it was one of them.
    mutating func letGo(_ lane: Lane) -> Bool {
        guard let owner = self.owner(of: lane) else { return false }
        self.byOwner[owner] = nil
        return true
    }

    func owner(of lane: Lane) -> String? { self.byOwner.first { $0.value.lane === lane }?.key }

    /// What has to go before another lane begins.
    ///
    enum Room {
        case free
        case after(Lane)
        case none
    }

    /// - Parameters:
    ///   - ending: how many have been let go, and are still there. As many as there may be lanes, and no more.
    ///   - isIdle: whether no call of a lane is under way, and no task. The one that has been idle longest goes.
    func room(for limit: Int, ending: Int, isIdle: (Lane) -> Bool) -> Room {
        guard self.count >= limit else { return .free }
        guard ending < limit else { return .none }
        return self.byOwner.values.filter { isIdle($0.lane) }.min { $0.lastUse < $1.lastUse }.map { .after($0.lane) }
            ?? .none
    }
}

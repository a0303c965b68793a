import BridgeConfiguration
import BridgeMCP
import NIOCore

// Lanes: one that everybody shares, and where the configuration says so (`share`) one for each session or principal.

extension UpstreamCore {
    /// - Parameter owner: of a lane that not everybody shares.
    func makeLane(_ configuration: UpstreamConfiguration, news: any LaneNews, isOneClients: Bool = false) -> Lane {
        let isEverybodys = news === self.announcer
        return Lane(
            configuration, offerings: isEverybodys ? Offering.served : [], isOneClients: isOneClients, loop: self.loop,
            logger: self.logger, delegate: self, news: news
        ) { [weak self, logger, processes, loop, memory] configuration in
            switch configuration.transport {
            case .stdio(let launch):
                Child(launch: ChildLaunch(configuration, launch), processes: processes, loop: loop, logger: logger)
            case .http(let target):
                RemoteConnections.make(
                    target, tokens: self?.oauth, memory: memory, maximumMessage: configuration.maximumLineBytes,
                    loop: loop, logger: logger)
            }
        }
    }

    /// As lanes that not everybody shares go by it: each begins with a call, and ends when nobody calls.
    static func own(_ configuration: UpstreamConfiguration) -> UpstreamConfiguration {
        var own = configuration
        own.start = .lazy
        own.idleStop = min(configuration.idleStop ?? .longest, LaneTable<Lane>.idleTime)
        return own
    }

    /// Passes a call to its owner's lane, which begins with it if there is none.
    func take(_ call: UpstreamCall, of owner: String) {
        if let lane = self.ownLanes.use(of: owner) { return lane.take(call) }
        guard !self.isStopping else { return self.lane.take(call) }
        switch self.ownLanes.room(
            for: self.configuration.lanes, ending: self.endingLanes.count, isIdle: { $0.isIdle })
        {
        case .free: break
        case .after(let idle): self.end(idle)
        case .none: return call.fail(self.faults.noLane(self.configuration.lanes))
        }
        let notes = LaneNotes(of: owner, announcer: self.announcer)
        let lane = self.makeLane(
            Self.own(self.configuration), news: notes, isOneClients: self.configuration.share == .session)
        lane.isReading = self.isReading
        if let level = self.logLevel { lane.set(logLevel: level) }
        if self.lane.asks { lane.isKnownToAsk() }
        // Not before: a lane that has had no call yet looks like one that nobody uses any more.
        self.notes[ObjectIdentifier(lane)] = notes
        self.ownLanes.keep(lane, of: owner)
        lane.take(call)
    }

    /// A lane takes no further calls, and ends when those under way are over, or after 10 seconds.
    func end(_ lane: Lane) {
        guard self.ownLanes.letGo(lane) else { return }
        self.endingLanes[ObjectIdentifier(lane)] = lane
        lane.stop(within: .seconds(10))
    }
}

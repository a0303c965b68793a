/// What a new configuration changes in a running service.
package struct ConfigurationChange: Sendable, Hashable {
    package struct ChangedUpstream: Sendable, Hashable {
        package let entry: UpstreamEntry
        /// Whether its child or connection must be started anew; else the new values are told to the running one.
        package let needsNewProcess: Bool
    }

    /// In the new order.
    package let added: [UpstreamEntry]
    package let removed: [String]
    package let changed: [ChangedUpstream]
    /// Whether the same upstreams stand in another order, which decides who owns a resource listed twice.
    package let isReordered: Bool
    /// Keys under `bridge` that now have another value and take effect at once.
    package let appliedSettings: [String]
    /// Keys under `bridge` that now have another value, which waits for the next start.
    package let settingsNeedingRestart: [String]

    package var isEmpty: Bool {
        self.added.isEmpty && self.removed.isEmpty && self.changed.isEmpty && !self.isReordered
            && self.appliedSettings.isEmpty && self.settingsNeedingRestart.isEmpty
    }

    package static func between(_ old: BridgeConfiguration, _ new: BridgeConfiguration) -> ConfigurationChange {
        let before = Dictionary(old.upstreams.map { ($0.name, $0) }) { first, _ in first }
        let after = new.upstreams
        let names = Set(after.map(\.name))
        let differing = SettingTable.all.filter { $0.differs(old.settings, new.settings) }
        return ConfigurationChange(
            added: after.filter { before[$0.name] == nil },
            removed: old.upstreams.map(\.name).filter { !names.contains($0) },
            changed: after.compactMap { entry in
                guard let earlier = before[entry.name], earlier != entry else { return nil }
                return ChangedUpstream(entry: entry, needsNewProcess: entry.needsNewProcess(comparedWith: earlier))
            },
            isReordered: old.upstreams.map(\.name).filter(names.contains)
                != after.map(\.name).filter { before[$0] != nil },
            appliedSettings: differing.filter { !$0.needsRestart }.map(\.key),
            settingsNeedingRestart: differing.filter(\.needsRestart).map(\.key)
        )
    }
}

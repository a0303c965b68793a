import BridgeConfiguration
import BridgeCore
import BridgeMCP

/// What is told of the upstreams and their lists, to somebody who sees all of them or some.
extension Directory {
    /// The list of an offering as somebody sees it.
    func section(_ offering: Offering, for view: ScopedView?) -> Catalogue.Section {
        guard let view else { return self.section(offering) }
        self.bringUpToDate()
        return self.views.section(offering, of: view, in: self.lists) { self.merged(offering, for: view) }
    }

    /// The same as ``find(_:of:)``, of what somebody sees.
    func find(
        _ name: String, of offering: Offering, for view: ScopedView?
    ) -> (entry: Catalogue.Entry, upstream: UpstreamLink)? {
        let found = self.find(name, of: offering)
        guard let view else { return found }
        if let found, view.has(found.entry, of: offering) { return found }
        // What is not seen may have taken the name.
        guard found != nil, !self.catalogue[offering].collisions.isEmpty else { return nil }
        return self.section(offering, for: view)[name].map { ($0, self.upstreams[$0.upstream]) }
    }

    /// The changes of lists since a time, in seconds since 1970, of servers that somebody sees.
    func changes(since time: UInt64, for view: ScopedView?) -> [ListChange] {
        guard !self.changes.isEmpty else { return [] }
        let isConcerned = { (change: ListChange, server: String) in
            guard let view else { return true }
            return change.method == Offering.tools.changed ? view.sees(server) : view.seesAll(of: server)
        }
        return self.changes
            .filter { change, times in times.contains { time <= $0.value && isConcerned(change, $0.key) } }.keys
            .sorted { $0.method < $1.method }
    }

    /// The one server there is. One that cannot run may be meant as well.
    var onlyUpstream: UpstreamLink? {
        self.upstreams.count == 1 && self.configuration.failed.isEmpty ? self.upstreams[0] : nil
    }

    /// What a client is told of all servers that it sees when it initializes.
    func instructions(for view: ScopedView?) -> String? {
        let seen = self.upstreams.filter { view?.sees($0.route.name) ?? true }
        return Instructions.merged(
            own: self.configuration.instructions,
            servers: seen.map { upstream in
                // What a server says of itself is about all that it has.
                let isWhole = view?.seesAll(of: upstream.route.name) ?? true
                return (
                    upstream.route.name, upstream.route.prefix ?? upstream.route.name,
                    isWhole ? upstream.instructions : nil
                )
            },
            separator: self.configuration.separator)
    }

    /// Every upstream's entries of an offering that somebody sees, under their dotted names, sorted by upstream.
    func names(of offering: Offering, for view: ScopedView?) -> [(upstream: String, names: [String])] {
        let section = self.section(offering, for: view)
        var names = self.upstreams.map { _ in [String]() }
        for entry in section.entries { names[entry.upstream].append(entry.name.dot) }
        return zip(self.upstreams, names).map { ($0.route.name, $1) }
            .filter { name, names in view.map { !names.isEmpty || $0.sees(name) } ?? true }
            .sorted { $0.upstream < $1.upstream }
    }

    /// For `GET /metrics`: how the calls of each upstream ended, and how soon it answered.
    var counts: JSONText {
        JSONWriter.object { body in
            for upstream in self.upstreams {
                body.memberObject(upstream.route.name) { upstream.tally.write(to: &$0) }
            }
        }
    }

    /// What is said of a name that nobody lists: it may be one of a server that cannot run, or has never been listed. Whoever
    /// does not see a server is not told of it either.
    func unknown(_ name: String, of offering: Offering, for view: ScopedView? = nil) -> ToldFault {
        let isTold = { (server: String) in view?.sees(server) ?? true }
        guard offering.isRenamed else { return view == nil ? offering.unknownEntry(name) : .outOfScope(name) }
        if let server = self.configuration.failed.first(where: {
            isTold($0.name) && $0.mayHave(name, separator: self.configuration.separator)
        }) {
            return .unavailable(server.name, server.reason)
        }
        let owners = self.upstreams.filter { isTold($0.route.name) && self.mayHave(name, $0) }
        if let server = self.unlisted(owners, offering) { return .unavailable(server.route.name, server.hindrance) }
        // Of a server that is seen in part, what is there and what is not are told alike.
        guard let view, !owners.contains(where: { view.seesAll(of: $0.route.name) }) else {
            return offering.unknownEntry(name)
        }
        return .outOfScope(name)
    }

    /// The upstream whose entry a name may be, and that cannot be listed before somebody has signed in.
    func awaitingSignIn(_ name: String, of offering: Offering, for view: ScopedView?) -> UpstreamLink? {
        guard offering.isRenamed else { return nil }
        let owners = self.upstreams.filter { (view?.sees($0.route.name) ?? true) && self.mayHave(name, $0) }
        return self.unlisted(owners, offering).flatMap { $0.needsSignIn ? $0 : nil }
    }

    private func mayHave(_ name: String, _ upstream: UpstreamLink) -> Bool {
        PublicName.mayBe(
            name, prefix: upstream.route.prefix ?? upstream.route.name, separator: self.configuration.separator)
    }

    private func unlisted(_ owners: [UpstreamLink], _ offering: Offering) -> UpstreamLink? {
        // One without a prefix may have any name, but those that begin with another's.
        let named = owners.filter { $0.route.prefix != "" }
        return (named.isEmpty ? owners : named).first { $0.list(of: offering) == nil }
    }
}

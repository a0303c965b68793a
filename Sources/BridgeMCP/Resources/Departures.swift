/// What waits until a server has answered that it is unsubscribed from a resource.
///
/// Over HTTP one message may overtake another: who is told that a subscription is over must find it so with the next call, and
/// who subscribes anew must not be undone by an older message. Pure.
package struct Departures<Waiting> {
    private struct Leaving {
        /// How often the server has been told, and has not answered.
        var told = 0
        var waiting: [Waiting] = []
    }

    private var leaving: [ResourceTopic: Leaving] = [:]

    package init() {}

    /// The first of these that a server is being unsubscribed from.
    package func first(of topics: some Sequence<ResourceTopic>) -> ResourceTopic? {
        topics.first { self.leaving[$0] != nil }
    }

    /// The server is told.
    package mutating func begin(_ topic: ResourceTopic) { self.leaving[topic, default: Leaving()].told += 1 }

    /// - Parameter topic: one that is being left.
    package mutating func wait(_ waiting: Waiting, for topic: ResourceTopic) {
        self.leaving[topic]?.waiting.append(waiting)
    }

    /// The server has answered, or will not.
    ///
    /// - Returns: what need not wait any longer, in the order of its coming.
    package mutating func ended(_ topic: ResourceTopic) -> [Waiting] {
        guard var entry = self.leaving[topic] else { return [] }
        entry.told -= 1
        self.leaving[topic] = entry.told > 0 ? entry : nil
        return entry.told > 0 ? [] : entry.waiting
    }

    package func holds(where isMeant: (Waiting) -> Bool) -> Bool {
        self.leaving.values.contains { $0.waiting.contains(where: isMeant) }
    }

    /// Takes out those that do not wait any more.
    package mutating func takeOut(where isMeant: (Waiting) -> Bool) -> [Waiting] {
        var found: [Waiting] = []
        for (topic, entry) in self.leaving where entry.waiting.contains(where: isMeant) {
            found += entry.waiting.filter(isMeant)
            self.leaving[topic]?.waiting.removeAll(where: isMeant)
        }
        return found
    }
}

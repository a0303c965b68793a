import BridgeMCP
import NIOCore

/// The requests to the upstream that the bridge makes for itself, by their ids. Pure: times come in.
struct OwnRequests {
    enum Purpose: Equatable {
        case initialize
        case list(Offering)
        case ping
        case logLevel
    }

    private var requests: [Int: (purpose: Purpose, deadline: NIODeadline)] = [:]

    init() {}

    /// When ``expire(now:)`` has something to say at the earliest.
    var nextDeadline: NIODeadline? { self.requests.values.map(\.deadline).min() }

    var count: Int { self.requests.count }

    /// The id of the one that there is, if there is just one.
    var only: Int? { self.requests.count == 1 ? self.requests.keys.first : nil }

    func contains(_ id: Int) -> Bool { self.requests[id] != nil }

    func contains(_ purpose: Purpose) -> Bool { self.requests.values.contains { $0.purpose == purpose } }

    mutating func add(_ id: Int, _ purpose: Purpose, deadline: NIODeadline) {
        self.requests[id] = (purpose, deadline)
    }

    mutating func take(_ id: Int) -> Purpose? {
        self.requests.removeValue(forKey: id)?.purpose
    }

    mutating func takeAll(_ purpose: Purpose) -> [Int] {
        let ids = self.requests.filter { $0.value.purpose == purpose }.keys.sorted()
        for id in ids { self.requests[id] = nil }
        return ids
    }

    /// None of them ends before then.
    mutating func postpone(to time: NIODeadline) {
        for (id, request) in self.requests { self.requests[id]?.deadline = max(request.deadline, time) }
    }

    /// Takes out those whose time is over.
    mutating func expire(now: NIODeadline) -> [(id: Int, purpose: Purpose)] {
        let ids = self.requests.filter { $0.value.deadline <= now }.keys.sorted()
        return ids.compactMap { id in self.take(id).map { (id, $0) } }
    }

    /// Takes out all.
    mutating func removeAll() -> [Int] {
        defer { self.requests = [:] }
        return self.requests.keys.sorted()
    }
}

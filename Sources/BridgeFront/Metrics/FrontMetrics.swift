/// What the front counts. Label values are few and fixed: nothing that a client sends becomes one. Confined to the loop.
final class FrontMetrics {
    /// Requests by route and status code.
    private var requests: [[(status: Int, count: Int)]] = Array(repeating: [], count: Route.allCases.count)
    /// By the words of ``Refusal``.
    private(set) var refusals: [(code: String, count: Int)] = []
    var requestsInFlight = 0
    var openStreams = 0
    var linkRestarts = 0
    var retriedRequests = 0
    var unknownOutcomes = 0
    var evictedConnections = 0

    func count(_ route: Route, _ status: Int) {
        let index = route.rawValue
        if let at = self.requests[index].firstIndex(where: { $0.status == status }) {
            self.requests[index][at].count += 1
        } else {
            self.requests[index].append((status, 1))
        }
    }

    func refuse(_ code: String) {
        if let at = self.refusals.firstIndex(where: { $0.code == code }) {
            self.refusals[at].count += 1
        } else {
            self.refusals.append((code, 1))
        }
    }

    func forEachRoute(_ body: (Route, _ status: Int, _ count: Int) -> Void) {
        for route in Route.allCases {
            for entry in self.requests[route.rawValue] { body(route, entry.status, entry.count) }
        }
    }
}

/// The service in one line for people: what `STATUS=` says.
package struct ServiceSummary: Sendable, Equatable {
    package struct Upstream: Sendable, Equatable {
        package var name: String
        /// Connected, or resting until it is needed.
        package var isReady: Bool
        /// Why not, in a few words.
        package var trouble: String?

        package init(name: String, isReady: Bool, trouble: String?) {
            self.name = name
            self.isReady = isReady
            self.trouble = trouble
        }
    }

    package var upstreams: [Upstream] = []
    package var sessions = 0
    /// Workers that are down, by role.
    package var troubledWorkers: [String] = []
    package var isStopping = false
    package var needsRestart = false

    package init() {}

    package var text: String {
        if self.isStopping { return "stopping: finishing calls in flight" }
        let ready = self.upstreams.count { $0.isReady }
        var parts = ["\(ready)/\(self.upstreams.count) upstreams ready"]
        parts.append(self.sessions == 1 ? "1 session" : "\(self.sessions) sessions")
        for worker in self.troubledWorkers { parts.append("worker \(worker) is down") }
        for upstream in self.upstreams.filter({ !$0.isReady }).prefix(5) {
            parts.append("\(upstream.name): \(upstream.trouble ?? "not ready")")
        }
        if self.needsRestart { parts.append("changed settings need a restart") }
        return parts.joined(separator: ", ")
    }
}

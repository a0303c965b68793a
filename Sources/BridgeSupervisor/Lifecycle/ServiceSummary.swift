/// The service in one line for people: what `STATUS=` says.
package struct ServiceSummary: Sendable, Equatable {
    package struct Upstream: Sendable, Equatable {
        package var name: String
        /// Connected, or resting until it is needed.
        package var isReady: Bool
        /// Why not, in a few words.
        package var trouble: String?
        /// The word of its token's state, where somebody has to do something about it, connected or not.
        package var tokenTrouble: String?

        package init(name: String, isReady: Bool, trouble: String?, tokenTrouble: String? = nil) {
            self.name = name
            self.isReady = isReady
            self.trouble = trouble
            self.tokenTrouble = tokenTrouble
        }

        /// nil where all is well.
        fileprivate var words: String? {
            guard !self.isReady else { return self.tokenTrouble }
            guard let trouble else { return self.tokenTrouble ?? "not ready" }
            guard let tokenTrouble, !trouble.contains(tokenTrouble) else { return trouble }
            return "\(tokenTrouble): \(trouble)"
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
        let troubled = self.upstreams.lazy.compactMap { upstream in upstream.words.map { "\(upstream.name): \($0)" } }
        parts += troubled.prefix(5)
        if self.needsRestart { parts.append("changed settings need a restart") }
        return parts.joined(separator: ", ")
    }
}

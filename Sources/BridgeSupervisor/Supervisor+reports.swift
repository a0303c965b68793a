import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeProcess
import Glibc
import NIOCore

extension Supervisor {
    /// What is known of each upstream, in the configuration's order: its worker's word, or ours where it has none. Those that
    /// cannot run come last.
    private struct UpstreamReport {
        let name: String
        let state: JSONText
        let toolCount: Int
        let slot: WorkerSlot?
        /// Why it is not ready, for one line.
        let trouble: String?

        init(name: String, state: JSONText, toolCount: Int, slot: WorkerSlot?, trouble: String? = nil) {
            self.name = name
            self.state = state
            self.toolCount = toolCount
            self.slot = slot
            self.trouble = (trouble ?? state.string("lastError")).map { String($0.prefix(80)) }
        }

        var phase: ShownPhase? { self.state.string("phase").flatMap(ShownPhase.init(ofUpstream:)) }
        var isConnected: Bool { self.state.bool("connected") ?? false }
        /// The token's state in its own word, where somebody has to do something about it.
        var tokenTrouble: String? {
            guard let report = self.state.value("oauth").flatMap({ OAuthReport($0) }), report.phase.isTroubled else {
                return nil
            }
            return report.phase.rawValue
        }
        /// Connected, or resting until somebody needs it.
        var isReady: Bool { self.isConnected || self.phase == .upstream(.idle) }
    }

    private func upstreamReports(inFull: Bool = false) -> [UpstreamReport] {
        let counts = self.slots[.session]?.status?.value("toolCounts")
        return self.deployment.upstreams.map { upstream in
            let name = upstream.configuration.name
            let slot = self.slots[.upstream(name)]
            let state = slot?.status ?? self.absentState(name, upstream.configuration.transport.kind, slot)
            let cached = counts.flatMap { $0.member(named: name) }.flatMap { counts?[$0].int } ?? 0
            return UpstreamReport(
                name: name, state: state, toolCount: max(state.int("toolCount") ?? 0, cached), slot: slot)
        }
            + self.deployment.failed.map {
                UpstreamReport(
                    name: $0.name, state: Self.state(of: $0, inFull: inFull), toolCount: 0, slot: nil,
                    trouble: $0.troubles.first?.message
                )
            }
    }

    private func absentState(_ name: String, _ kind: String, _ slot: WorkerSlot?) -> JSONText {
        // One that is not there waits to be started.
        let phase = slot?.phase ?? .waiting
        return JSONWriter.object { state in
            state.member("name", name)
            state.member("kind", kind)
            state.member("phase", ShownPhase.worker(phase).word)
            state.member("connected", false)
            state.member("toolCount", 0)
            state.memberNull("lastConnectedAt")
            state.memberNull("lastToolRefreshAt")
            if slot == nil {
                state.member("lastError", "its worker has not been started yet")
            } else if ShownPhase.worker(phase).isTroubled {
                state.member("lastError", "its worker ended and will be started again")
            } else {
                state.memberNull("lastError")
            }
            state.member("reconnectAttempts", slot?.restarts ?? 0)
            state.memberNull("nextReconnectAt")
        }
    }

    func summary() -> ServiceSummary {
        var summary = ServiceSummary()
        summary.isStopping = self.isStopping
        summary.needsRestart = !self.deployment.needsRestart.isEmpty
        summary.sessions = self.slots[.session]?.status?.int("sessions") ?? 0
        summary.upstreams = self.upstreamReports().map {
            ServiceSummary.Upstream(
                name: $0.name, isReady: $0.isReady, trouble: $0.trouble, tokenTrouble: $0.tokenTrouble)
        }
        summary.troubledWorkers = [WorkerRole.http, .session]
            .filter { self.slots[$0]?.phase != .ready }.map(\.description)
        return summary
    }

    /// The body of `GET /health`: the members that it had in mcp-proxy and in mcp-bridge for Node, and more. Always told
    /// with 200.
    ///
    /// - Parameter inFull: for the control socket, whose users may read the configuration.
    func health(inFull: Bool = false) -> JSONText {
        let upstreams = self.upstreamReports(inFull: inFull)
        let isServing = self.slots[.session]?.phase == .ready
        return JSONWriter.object { body in
            body.member("status", "ok")
            body.member("transport", self.environment.transport)
            body.memberArray("servers") { list in for name in upstreams.map(\.name).sorted() { list.element(name) } }
            body.member("service", "mcp-bridge")
            body.member("version", self.environment.version)
            body.member("ok", isServing && upstreams.allSatisfy { $0.isReady || $0.toolCount > 0 })
            body.member("ready", isServing && !self.isStopping)
            body.memberArray("reasons") { reasons in
                if !isServing { reasons.element("the session worker is not ready") }
                if self.isStopping { reasons.element("the service is stopping") }
            }
            body.memberArray("upstreams") { list in for upstream in upstreams { list.element(upstream.state) } }
            body.member("toolCount", upstreams.reduce(0) { $0 + $1.toolCount })
        }
    }

    /// For `mcp-bridge status`: the health, and the processes.
    func status() -> JSONText {
        let health = self.health(inFull: true)
        let roles: [WorkerRole] =
            [.http, .session] + self.deployment.upstreams.map { .upstream($0.configuration.name) }
        return JSONWriter.object { body in
            health.members { key, value in body.member(key.string, health[value]) }
            body.member("text", self.summary().text)
            body.member("pid", Int(getpid()))
            body.member("uptimeSeconds", Int((SuspendingClock.now - self.startedAt).components.seconds))
            body.memberArray("listen") { list in
                for address in self.environment.sockets.addresses() { list.element(address) }
            }
            body.member("mcpPath", self.deployment.front.mcpPath)
            body.member("publicURL", ifPresent: self.deployment.front.publicURL)
            body.member("sessions", self.slots[.session]?.status?.int("sessions") ?? 0)
            body.member("callsInFlight", self.slots[.session]?.status?.int("callsInFlight") ?? 0)
            body.member("collisions", self.slots[.session]?.status?.value("collisions") ?? .emptyArray)
            body.member("sources", self.slots[.session]?.status?.value("sources") ?? .emptyArray)
            body.member("requestsWaiting", self.slots[.session]?.status?.int("requestsWaiting") ?? 0)
            body.member("needsRestart", self.deployment.needsRestart)
            body.member("memory", self.memory())
            body.memberArray("workers") { list in
                for role in roles {
                    guard let slot = self.slots[role] else { continue }
                    list.object {
                        $0.member("name", role.description)
                        $0.member("phase", slot.phase.rawValue)
                        $0.member("pid", slot.process.map { Int($0.pid) })
                        $0.member("restarts", slot.restarts)
                    }
                }
            }
        }
    }
}

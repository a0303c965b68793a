import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeProcess
import BridgeSystemd
import Glibc
import Logging
import NIOCore

/// Making the running service what a deployment says.
extension Supervisor {
    /// Applies the difference to the running service: upstreams that are unchanged are not touched.
    ///
    /// - Parameters:
    ///   - restarting: upstreams that are started anew even if they look unchanged.
    ///   - taken: called once, when front and session worker have answered, with what they refused.
    @discardableResult
    func apply(
        _ new: Deployment, restarting: Set<String> = [], taken: @escaping (_ refusals: [String]) -> Void = { _ in }
    ) -> DeploymentChanges {
        let old = Dictionary(self.deployment.upstreams.map { ($0.configuration.name, $0) }, uniquingKeysWith: { $1 })
        var changes = DeploymentChanges()
        let kept = Set(new.upstreams.map(\.configuration.name))
        let failedBefore = self.deployment.failed
        self.deployment = new
        self.logTroubles(except: failedBefore)
        self.environment.setLogLevel(new.front.logLevel)
        for upstream in new.upstreams {
            let name = upstream.configuration.name
            if self.slots[.upstream(name)] == nil {
                changes.added.append(name)
                self.tryToStart(upstream)
            } else if restarting.contains(name) || old[name]?.holdsTokens != upstream.holdsTokens {
                changes.changed.append(name)
                self.replace(upstream)
            } else if old[name] != upstream {
                changes.changed.append(name)
                // The worker knows what its child would notice, and lets calls finish before it starts another.
                self.configure(.upstream(name), upstream.configuration) { _ in }
            }
        }
        var refusals: [String] = []
        var missing = 2
        let answered = { (role: WorkerRole, refusal: String?) in
            if let refusal { refusals.append("\(role): \(refusal)") }
            missing -= 1
            if missing == 0 { taken(refusals) }
        }
        self.configure(.session, new.session) { [weak self] refusal in
            defer { answered(.session, refusal) }
            // The session worker has the new list, and so dials none of the others any more: their workers can go.
            guard let self else { return }
            let wanted = Set(self.deployment.upstreams.map(\.configuration.name))
            for name in old.keys where !wanted.contains(name) { self.letGo(name) }
        }
        self.configure(.http, new.front) { answered(.http, $0) }
        changes.removed = old.keys.filter { !kept.contains($0) }.sorted()
        self.report()
        return changes
    }

    /// Starts an upstream's worker; behind one of its name that still has to end, as soon as that has ended. What fails is
    /// tried again every second for as long as the upstream is wanted.
    func tryToStart(_ upstream: Deployment.Upstream) {
        let name = upstream.configuration.name
        guard !self.leaving.contains(where: { $0.role == .upstream(name) }) else { return }
        do {
            try self.startUpstream(upstream)
        } catch {
            self.logger.error(
                "Upstream worker cannot be started", metadata: ["mcp.upstream": "\(name)", "error": "\(error)"]
            )
            self.loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in self?.startIfWanted(name) }
        }
    }

    private func startIfWanted(_ name: String) {
        guard !self.isStopping, self.slots[.upstream(name)] == nil,
            let upstream = self.deployment.upstreams.first(where: { $0.configuration.name == name })
        else { return }
        self.tryToStart(upstream)
    }

    private func configure(
        _ role: WorkerRole, _ configuration: some Encodable, _ done: @escaping (_ refusal: String?) -> Void
    ) {
        guard let slot = self.slots[role] else { return done(nil) }
        guard let frame = self.frame(of: configuration, for: role) else { return done("it cannot be handed over") }
        slot.configure(frame, done)
    }

    private func frame(of configuration: some Encodable, for role: WorkerRole) -> ByteBuffer? {
        do {
            return try WorkerConfigurationCoding.encode(configuration)
        } catch {
            self.logger.error(
                "Configuration cannot be handed to a worker", metadata: role.metadata(["error": "\(error)"]))
            return nil
        }
    }

    /// The same upstream with another configuration: its worker is started anew behind the same socket.
    private func replace(_ upstream: Deployment.Upstream) {
        let role = WorkerRole.upstream(upstream.configuration.name)
        guard let slot = self.slots[role], let frame = self.frame(of: upstream.configuration, for: role) else { return }
        slot.wipesMemory = upstream.holdsTokens
        slot.replace(frame)
    }

    private func letGo(_ name: String) {
        guard let slot = self.slots.removeValue(forKey: .upstream(name)) else { return }
        self.leaving.append(slot)
        slot.onLeft = { [weak self, weak slot] in
            self?.leaving.removeAll { $0 === slot }
            for socket in slot?.sockets ?? [] {
                if let path = SocketName.of(socket.descriptor) { unlink(path) }
                close(socket.descriptor)
            }
            self?.startIfWanted(name)
            self?.checkPendingChanges()
        }
        slot.stop()
        self.loop.assumeIsolated().scheduleTask(in: TimeAmount(StopLimits.killed)) { slot.kill() }
    }
}

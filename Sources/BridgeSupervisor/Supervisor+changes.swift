import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeProcess
import BridgeSystemd
import Glibc
import Logging
import NIOCore

extension DeploymentRefusal {
    fileprivate static let busy = DeploymentRefusal(
        status: 503, body: ServersReply.busy,
        text: "Another change is in progress; try again."
    )
    fileprivate static let draining = DeploymentRefusal(
        status: 503, body: ServersReply.draining,
        text: "The service is stopping; nothing was changed."
    )
}

/// What changes which upstreams there are: a reload, and `POST` and `DELETE /servers`.
extension Supervisor {
    private func refuseChangeIfBusy() throws(DeploymentRefusal) {
        if self.isStopping { throw .draining }
        if self.changeInProgress != nil || self.isAtFiles { throw .busy }
    }

    /// Answers, at once, everybody who waits for the outcome of a change: the service stops.
    func abandonChanges() {
        self.changeInProgress?.abandon()
        let settling = self.settling
        self.settling = []
        for pending in settling { pending.abandon() }
    }

    // MARK: Reload

    func reload(_ exchange: Exchange) {
        exchange.delegate = AnswerWaiter { _ in }
        self.reload { [weak self] result in
            switch result {
            case .success(let changes): self?.answer(exchange, 200, Self.report(changes, self?.deployment))
            case .failure(let refusal): self?.refuse(exchange, refusal)
            }
        }
    }

    private static func report(_ changes: DeploymentChanges, _ deployment: Deployment?) -> JSONText {
        JSONWriter.object { body in
            body.member("reloaded", true)
            body.member("added", changes.added)
            body.member("removed", changes.removed)
            body.member("changed", changes.changed)
            body.member("needsRestart", deployment?.needsRestart ?? [])
            body.member("failed", deployment?.failed.map { "\($0.name): \($0.text)" } ?? [])
        }
    }

    /// Reads the configuration and applies what is different. A refused one changes nothing.
    ///
    /// - Parameter done: called once the processes are as the configuration wants them, or after 15 seconds; or with the
    ///   reason why nothing was changed, such as that the service stops or another change is in progress, or why a worker
    ///   did not take what the others have.
    package func reload(_ done: @escaping (Result<DeploymentChanges, DeploymentRefusal>) -> Void) {
        do throws(DeploymentRefusal) { try self.refuseChangeIfBusy() } catch { return done(.failure(error)) }
        self.isAtFiles = true
        if self.isReady { self.notifier.send(.reloading) }
        self.source.reload(on: self.loop) { [weak self] result in
            guard let self else { return done(.failure(.draining)) }
            self.isAtFiles = false
            switch result {
            case _ where self.isStopping: done(.failure(.draining))
            case .success(let deployment): self.take(deployment, done)
            case .failure(let refusal):
                self.logger.error("Configuration refused; nothing was changed", metadata: ["error": "\(refusal.text)"])
                self.tellReloaded()
                done(.failure(refusal))
            }
        }
    }

    private func take(
        _ deployment: Deployment, _ done: @escaping (Result<DeploymentChanges, DeploymentRefusal>) -> Void
    ) {
        var refusals: [String]?
        let changes = self.apply(deployment) { [weak self] in
            refusals = $0
            self?.checkPendingChanges()
        }
        self.settle(changes, unless: { refusals == nil }) { [weak self] in
            guard let self else { return }
            if let refusals, !refusals.isEmpty {
                self.tellReloaded()
                let text = "Not every worker took its configuration: \(refusals.joined(separator: "; "))"
                return done(.failure(DeploymentRefusal(status: 500, body: ServersReply.error(text), text: text)))
            }
            self.logger.notice(
                "Configuration reloaded",
                metadata: [
                    "added": "\(changes.added.joined(separator: ", "))",
                    "removed": "\(changes.removed.joined(separator: ", "))",
                    "changed": "\(changes.changed.joined(separator: ", "))",
                    "needs_restart": "\(self.deployment.needsRestart.joined(separator: ", "))",
                ]
            )
            self.tellReloaded()
            done(.success(changes))
        }
    }

    /// A reload is over, which systemd hears as being ready. A service that has not been so yet only becomes it later.
    private func tellReloaded() {
        if self.isReady { self.notifier.send(.ready, .status(self.summary().text)) }
    }

    /// `SIGHUP`: as ``reload(_:)``; a refusal is in the log, and one that only came too early is tried again.
    package func reloadBySignal() {
        self.reload { [weak self] result in
            guard let self, case .failure(let refusal) = result, refusal.status == 503, !self.isStopping else { return }
            self.loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in self?.reloadBySignal() }
        }
    }

    /// Waits until workers that are to go have gone and those that are to come serve.
    ///
    /// - Parameter isOpen: whether anything else is still to come.
    private func settle(
        _ changes: DeploymentChanges, unless isOpen: @escaping () -> Bool = { false }, _ done: @escaping () -> Void
    ) {
        let pending = PendingChange(patience: .seconds(15)) { [weak self] () -> Bool? in
            guard let self else { return true }
            let isGone = changes.removed.allSatisfy { name in
                self.slots[.upstream(name)] == nil && !self.leaving.contains { $0.role == .upstream(name) }
            }
            let hasCome = (changes.added + changes.changed).allSatisfy { name in
                switch self.slots[.upstream(name)]?.phase {
                case .starting, .stopping, .idle, nil: false
                case .ready, .waiting, .failed, .refused, .stopped: true
                }
            }
            return isGone && hasCome && !isOpen() ? true : nil
        } done: { _ in
            done()
        }
        self.settling.append(pending)
        pending.check()
        self.settling.removeAll(where: \.isDone)
    }

    // MARK: POST and DELETE /servers

    func add(_ exchange: Exchange) {
        exchange.delegate = AnswerWaiter { _ in }
        guard let body = exchange.payload else {
            return self.error(exchange, 400, "Invalid JSON payload: it is empty.")
        }
        do throws(DeploymentRefusal) { try self.refuseChangeIfBusy() } catch { return self.refuse(exchange, error) }
        self.isAtFiles = true
        self.source.adding(body, on: self.loop) { [weak self] result in
            guard let self else { return exchange.cancel(reason: "stopping") }
            self.isAtFiles = false
            switch result {
            case .success where self.isStopping:
                _ = self.source.rollback()
                self.refuse(exchange, .draining)
            case .success(let proposed): self.add(proposed, exchange)
            case .failure(let refusal): self.refuse(exchange, refusal)
            }
        }
    }

    private func add(_ proposed: ProposedDeployment, _ exchange: Exchange) {
        let (deployment, names) = (proposed.deployment, proposed.names)
        let patience =
            deployment.upstreams.filter { names.contains($0.configuration.name) }
            .map { $0.configuration.timeouts.connect.duration }.max() ?? .seconds(30)
        self.apply(deployment, restarting: Set(names))
        self.changeInProgress = PendingChange(
            patience: patience + .seconds(2), beginningWithin: StopLimits.killed,
            hasBegun: { [weak self] in self?.haveBegun(names) ?? true },
            verdict: { [weak self] in self?.verdict(on: names) },
            done: { [weak self] in self?.conclude(exchange, names: names, $0) }
        )
    }

    /// Whether nothing that these upstreams replace is left.
    private func haveBegun(_ names: [String]) -> Bool {
        names.allSatisfy { name in
            switch self.slots[.upstream(name)]?.phase {
            case .stopping, .idle, nil: false
            case .starting, .ready, .waiting, .failed, .refused, .stopped: true
            }
        }
    }

    /// Whether all of these upstreams are up; nil while one may yet be.
    private func verdict(on names: [String]) -> Bool? {
        var isOpen = false
        for name in names {
            guard let slot = self.slots[.upstream(name)] else {
                isOpen = true
                continue
            }
            switch (slot.phase, slot.status?.string("phase").flatMap(UpstreamPhase.init(rawValue:))) {
            case (.failed, _), (.refused, _): return false
            case (.ready, .ready), (.ready, .idle): continue
            case (.ready, .backoff), (.ready, .failed), (.ready, .signIn), (.ready, .signingIn),
                (.ready, .tokensRefused),
                (.ready, .misconfigured):
                return false
            case (.ready, .connecting), (.ready, .stopped), (.ready, nil): isOpen = true
            case (.idle, _), (.starting, _), (.waiting, _), (.stopping, _), (.stopped, _): isOpen = true
            }
        }
        return isOpen ? nil : true
    }

    private func conclude(_ exchange: Exchange, names: [String], _ outcome: PendingChange.Outcome) {
        self.changeInProgress = nil
        switch outcome {
        case .works:
            self.commit(exchange, names: names)
        case .fails:
            self.apply(self.source.rollback())
            self.logger.warning("Servers could not be added", metadata: ["servers": "\(names)"])
            self.answer(exchange, 502, ServersReply.failedToAdd)
        case .abandoned:
            // All processes are about to end: what counts is that nothing of it is remembered.
            _ = self.source.rollback()
            self.logger.warning("Servers were not added: the service stops", metadata: ["servers": "\(names)"])
            self.refuse(exchange, .draining)
        }
    }

    private func commit(_ exchange: Exchange, names: [String]) {
        self.save { [weak self] result in
            guard let self else { return exchange.cancel(reason: "stopping") }
            switch result {
            case .success:
                self.logger.notice("Servers added", metadata: ["servers": "\(names)"])
                self.answer(exchange, 200, ServersReply.added(names))
            case .failure(let refusal):
                let before = self.source.rollback()
                if !self.isStopping { self.apply(before) }
                self.refuse(exchange, refusal)
            }
        }
    }

    /// Writes down what is to last.
    private func save(_ done: @escaping (Result<Void, DeploymentRefusal>) -> Void) {
        self.isAtFiles = true
        self.source.commit(on: self.loop) { [weak self] result in
            self?.isAtFiles = false
            done(result)
        }
    }

    func remove(_ name: String, _ exchange: Exchange) {
        let deployment: Deployment
        do throws(DeploymentRefusal) {
            try self.refuseChangeIfBusy()
            deployment = try self.source.removing(name)
        } catch {
            return self.refuse(exchange, error)
        }
        exchange.delegate = AnswerWaiter { _ in }
        self.save { [weak self] result in
            guard let self else { return exchange.cancel(reason: "stopping") }
            switch result {
            case .failure(let refusal): self.refuse(exchange, refusal)
            // All processes are about to end, and the next ones will not know it.
            case .success where self.isStopping: self.removed(name, exchange)
            case .success:
                let changes = self.apply(deployment)
                self.settle(changes) { [weak self] in self?.removed(name, exchange) }
            }
        }
    }

    private func removed(_ name: String, _ exchange: Exchange) {
        self.logger.notice("Server removed", metadata: ["mcp.upstream": "\(name)"])
        self.answer(exchange, 200, ServersReply.removed(name))
    }
}

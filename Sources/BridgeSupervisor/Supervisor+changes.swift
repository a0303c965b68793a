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
        status: 503, body: JSONText(literal: #"{"error":"Another change is in progress."}"#),
        text: "Another change is in progress; try again."
    )
    fileprivate static let draining = DeploymentRefusal(
        status: 503, body: JSONText(literal: #"{"error":"draining: the service is stopping; nothing was changed."}"#),
        text: "The service is stopping; nothing was changed."
    )
}

/// What changes which upstreams there are: a reload, and `POST` and `DELETE /servers`.
extension Supervisor {
    private func refuseChangeIfBusy() throws(DeploymentRefusal) {
        if self.isStopping { throw .draining }
        if self.changeInProgress != nil { throw .busy }
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
        do throws(DeploymentRefusal) {
            try self.reload { [weak self] changes in
                self?.answer(
                    exchange, 200,
                    JSONWriter.object { body in
                        body.member("reloaded", true)
                        body.member("added", changes.added)
                        body.member("removed", changes.removed)
                        body.member("changed", changes.changed)
                        body.member("needsRestart", self?.deployment.needsRestart ?? [])
                    }
                )
            }
        } catch {
            self.refuse(exchange, error)
        }
    }

    /// Reads the configuration and applies what is different. A refused one changes nothing.
    ///
    /// - Parameter done: called once the processes are as the configuration wants them, or after 15 seconds.
    /// - Throws: also while the service stops or another change is in progress.
    package func reload(_ done: @escaping (DeploymentChanges) -> Void) throws(DeploymentRefusal) {
        try self.refuseChangeIfBusy()
        self.notifier.send(.reloading)
        let deployment: Deployment
        do throws(DeploymentRefusal) {
            deployment = try self.source.reload()
        } catch {
            self.logger.error("Configuration refused; nothing was changed", metadata: ["error": "\(error.text)"])
            self.notifier.send(.ready, .status(self.summary().text))
            throw error
        }
        let changes = self.apply(deployment)
        self.settle(changes) { [weak self] in
            guard let self else { return }
            self.logger.notice(
                "Configuration reloaded",
                metadata: [
                    "added": "\(changes.added.joined(separator: ", "))",
                    "removed": "\(changes.removed.joined(separator: ", "))",
                    "changed": "\(changes.changed.joined(separator: ", "))",
                    "needs_restart": "\(self.deployment.needsRestart.joined(separator: ", "))",
                ]
            )
            self.notifier.send(.ready, .status(self.summary().text))
            done(changes)
        }
    }

    /// `SIGHUP`: as ``reload(_:)``; a refusal is in the log, and one that only came too early is tried again.
    package func reloadBySignal() {
        do throws(DeploymentRefusal) {
            try self.reload { _ in }
        } catch {
            guard error.status == 503, !self.isStopping else { return }
            self.loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in self?.reloadBySignal() }
        }
    }

    /// Waits until workers that are to go have gone and those that are to come serve.
    private func settle(_ changes: DeploymentChanges, _ done: @escaping () -> Void) {
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
            return isGone && hasCome ? true : nil
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
        do throws(DeploymentRefusal) {
            try self.refuseChangeIfBusy()
            let (deployment, names) = try self.source.adding(body)
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
        } catch {
            self.refuse(exchange, error)
        }
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
            switch (slot.phase, slot.status?.string("phase")) {
            case (.failed, _), (.refused, _): return false
            case (.ready, "ready"), (.ready, "idle"): continue
            case (.ready, "backoff"), (.ready, "failed"): return false
            default: isOpen = true
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
            self.error(exchange, 502, "Failed to add backend servers.")
        case .abandoned:
            // All processes are about to end: what counts is that nothing of it is remembered.
            _ = self.source.rollback()
            self.logger.warning("Servers were not added: the service stops", metadata: ["servers": "\(names)"])
            self.refuse(exchange, .draining)
        }
    }

    private func commit(_ exchange: Exchange, names: [String]) {
        do throws(DeploymentRefusal) {
            try self.source.commit()
            self.logger.notice("Servers added", metadata: ["servers": "\(names)"])
            self.answer(exchange, 200, JSONWriter.object { $0.member("added", names.sorted()) })
        } catch {
            self.apply(self.source.rollback())
            self.refuse(exchange, error)
        }
    }

    func remove(_ exchange: Exchange) {
        let name = exchange.header.string("name") ?? ""
        do throws(DeploymentRefusal) {
            try self.refuseChangeIfBusy()
            let deployment = try self.source.removing(name)
            try self.source.commit()
            exchange.delegate = AnswerWaiter { _ in }
            let changes = self.apply(deployment)
            self.settle(changes) { [weak self] in
                self?.logger.notice("Server removed", metadata: ["mcp.upstream": "\(name)"])
                self?.answer(exchange, 200, JSONWriter.object { $0.member("removed", name) })
            }
        } catch {
            self.refuse(exchange, error)
        }
    }
}

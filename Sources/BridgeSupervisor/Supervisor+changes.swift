import BridgeCore
import BridgeLink
import BridgeProcess
import BridgeSystemd
import Glibc
import Logging
import NIOCore

/// A change of the upstreams that is answered only once it is known whether it works.
final class PendingChange {
    let names: [String]
    private let deadline: SuspendingClock.Instant
    private let verdict: () -> Bool?
    private let done: (Bool) -> Void

    /// - Parameters:
    ///   - verdict: whether it works; nil while that is open.
    ///   - done: called once.
    init(names: [String], patience: Duration, verdict: @escaping () -> Bool?, done: @escaping (Bool) -> Void) {
        self.names = names
        self.deadline = .now + patience
        self.verdict = verdict
        self.done = done
    }

    private(set) var isDone = false

    func check() {
        guard !self.isDone else { return }
        guard let works = SuspendingClock.now >= self.deadline ? false : self.verdict() else { return }
        self.isDone = true
        self.done(works)
    }
}

/// What changes which upstreams there are: a reload, and `POST` and `DELETE /servers`.
extension Supervisor {
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
        guard self.changeInProgress == nil, !self.isStopping else {
            let body = JSONWriter.object { $0.member("error", "Another change is in progress.") }
            throw DeploymentRefusal(status: 503, body: body, text: "Another change is in progress; try again.")
        }
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
        let pending = PendingChange(names: [], patience: .seconds(15)) { [weak self] () -> Bool? in
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
        guard self.changeInProgress == nil, !self.isStopping else {
            return self.error(exchange, 503, "Another change is in progress.")
        }
        guard let body = exchange.payload else {
            return self.error(exchange, 400, "Invalid JSON payload: it is empty.")
        }
        do throws(DeploymentRefusal) {
            let (deployment, names) = try self.source.adding(body)
            let patience =
                deployment.upstreams.filter { names.contains($0.configuration.name) }
                .map { $0.configuration.timeouts.connect.duration }.max() ?? .seconds(30)
            self.apply(deployment, restarting: Set(names))
            self.changeInProgress = PendingChange(names: names, patience: patience + .seconds(2)) { [weak self] in
                self?.verdict(on: names)
            } done: { [weak self] works in
                self?.conclude(exchange, names: names, works: works)
            }
        } catch {
            self.refuse(exchange, error)
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

    private func conclude(_ exchange: Exchange, names: [String], works: Bool) {
        self.changeInProgress = nil
        guard works else {
            self.apply(self.source.rollback())
            self.logger.warning("Servers could not be added", metadata: ["servers": "\(names)"])
            return self.error(exchange, 502, "Failed to add backend servers.")
        }
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
        guard self.changeInProgress == nil, !self.isStopping else {
            return self.error(exchange, 503, "Another change is in progress.")
        }
        do throws(DeploymentRefusal) {
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

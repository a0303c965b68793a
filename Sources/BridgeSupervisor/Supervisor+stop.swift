import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeProcess
import BridgeSystemd
import Glibc
import Logging
import NIOCore

/// Ending: the whole service, and what a dead worker leaves behind.
extension Supervisor {
    /// Ends the descendants of a worker that ended without doing so itself.
    func sweep(after role: WorkerRole) {
        guard case .upstream(let name) = role else { return }
        let processes = self.environment.processes
        let logger = self.logger
        processes.end(
            .strays(except: []), steps: TreeTeardown.Step.sweep
        ) { outcome in
            if case .survivors(let left) = outcome {
                logger.error(
                    "Processes of a dead worker cannot be ended",
                    metadata: ["mcp.upstream": "\(name)", "count": "\(left.count)"]
                )
            }
        }
    }

    // MARK: Stop

    /// Finishes what is in flight, ends every worker in turn and then itself.
    ///
    /// - Parameter signal: which one asked for it, as it is logged; nil where the service gives up by itself.
    package func stop(by signal: String? = nil) {
        guard !self.isStopping else { return }
        self.isStopping = true
        self.logger.notice("shutting down", metadata: signal.map { ["signal": "\($0)"] })
        self.abandonChanges()
        self.notifier.send(
            .stopping, .status(self.summary().text), .extendTimeout(self.deployment.drainTimeout + .seconds(10))
        )
        self.controlListener?.close()
        self.drainFront { [weak self] in
            self?.end([.http]) {
                self?.end([.session]) {
                    guard let self else { return }
                    let upstreams = self.slots.keys.filter { $0 != .http && $0 != .session }
                    self.end(Array(upstreams)) { self.finish() }
                }
            }
        }
    }

    private func drainFront(_ done: @escaping () -> Void) {
        guard let control = self.slots[.http]?.control else { return done() }
        let limit = self.deployment.drainTimeout
        var isDone = false
        let once = {
            guard !isDone else { return }
            isDone = true
            done()
        }
        let request = WorkerRequest.drain(milliseconds: Int(clamping: limit.wholeMicroseconds / 1_000))
        control.ask(header: request.text) { _ in once() }
        self.loop.assumeIsolated().scheduleTask(in: TimeAmount(limit) + .seconds(2)) { once() }
    }

    /// Ends some workers together; those that take longer than any may are killed.
    private func end(_ roles: [WorkerRole], _ done: @escaping () -> Void) {
        var missing = roles.count
        guard missing > 0 else { return done() }
        for role in roles {
            let left = {
                missing -= 1
                if missing == 0 { done() }
            }
            guard let slot = self.slots[role] else {
                left()
                continue
            }
            slot.onLeft = left
            slot.stop()
            self.loop.assumeIsolated().scheduleTask(in: TimeAmount(StopLimits.killed)) { slot.kill() }
        }
    }

    private func finish() {
        let processes = self.environment.processes
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        let loop = self.loop
        processes.end(.everything, steps: TreeTeardown.Step.sweep) { _ in
            loop.execute {
                bound.value.removeFiles()
                bound.value.onFinished(bound.value.exitCode)
            }
        }
    }

    private func removeFiles() {
        self.notifier.sendLastWords()
        self.notifications.close()
        unlink(self.deployment.front.sessionSocket)
        for upstream in self.deployment.upstreams { unlink(upstream.socket) }
        // With a notification socket the service manager may hold them; the next process finds them there.
        if self.environment.notifier.socket == nil {
            for path in self.environment.sockets.paths { unlink(path) }
        }
    }
}

extension TreeTeardown.Step {
    /// For processes whose parent is dead already: a moment to notice, then the end.
    static let sweep: [TreeTeardown.Step] = [
        .init(SIGTERM, patience: .milliseconds(300)), .init(SIGKILL, patience: .seconds(2)),
    ]
}

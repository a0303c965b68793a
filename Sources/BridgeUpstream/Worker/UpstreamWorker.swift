package import BridgeConfiguration
package import BridgeCore
package import BridgeLink
package import BridgeProcess
import Glibc
package import Logging
package import NIOCore

/// The worker of one upstream: keeps its child alive and connected, knows what it offers, and passes calls to it.
///
/// It ends every process below its own when its child ends, so it must be the only part of its process that starts any.
package final class UpstreamWorker: Sendable {
    private let core: NIOLoopBound<UpstreamCore>
    private let listener: Int32
    private let loop: any EventLoop

    /// To be called on `loop`, which `control` belongs to.
    ///
    /// - Parameters:
    ///   - listener: a listening Unix socket for the session worker; owned from now on.
    ///   - control: the link to the supervisor. It is used for status reports, and its end is the worker's
    ///     (``stopNow()``); what the supervisor opens is for the caller.
    package init(
        configuration: UpstreamConfiguration,
        listener: Int32,
        processes: ProcessThread,
        loop: any EventLoop,
        control: LinkConnection,
        logger: Logger
    ) {
        let core = UpstreamCore(
            configuration: configuration, processes: processes, loop: loop, control: control, logger: logger
        )
        self.core = NIOLoopBound(core, eventLoop: loop)
        self.listener = listener
        self.loop = loop
        let onClose = control.onClose
        control.onClose = { [weak core] in
            onClose?()
            core?.stopNow()
        }
    }

    /// Serves until it is stopped and no process of its tree is left. To be called once.
    ///
    /// Cancellation is ``stopNow()``.
    ///
    /// - Parameter ready: called when the listener serves. The upstream itself may not be up yet, or ever.
    /// - Throws: when the listener cannot be served or this process cannot adopt orphans.
    package func run(ready: @escaping @Sendable () -> Void) async throws {
        do {
            try Subreaper.enable()
        } catch {
            close(self.listener)
            throw error
        }
        try await self.listen().get()
        ready()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                self.loop.execute { self.core.value.whenFinished { continuation.resume() } }
            }
        } onCancel: {
            self.stopNow()
        }
    }

    private func listen() -> EventLoopFuture<Void> {
        self.loop.flatSubmit {
            let core = self.core
            return LinkListener.listen(descriptor: self.listener, on: self.loop) { core.value.accept($0) }
                .assumeIsolated().map { core.value.serve($0) }.nonisolated()
        }
    }

    /// Takes no further calls, lets those under way finish for at most so long, and ends the child and all below it, which
    /// takes 5 s at most, and as long again where a token is on its way; 2 s more where a peer does not read its last words.
    /// Returns when that is done.
    package func stop(within patience: Duration) async {
        let amount = TimeAmount(min(patience, .seconds(86_400)))
        await withCheckedContinuation { continuation in
            self.loop.execute {
                self.core.value.stop(within: amount)
                self.core.value.whenFinished { continuation.resume() }
            }
        }
    }

    /// Kills every process below this one at once.
    package func stopNow() {
        self.loop.execute { self.core.value.stopNow() }
    }

    /// What is asked of the upstream's OAuth. To be called on the loop, on which the answer comes, once.
    package func oauth(_ request: OAuthRequest, _ done: @escaping (OAuthAnswer) -> Void) {
        self.core.value.serveOAuth(request, done)
    }

    /// Takes a changed configuration; the upstream's name does not change. What a running child would not notice ends it,
    /// once the calls that it is at have finished, or after 10 s, and starts another. The log level is the caller's to set.
    package func reconfigure(_ configuration: UpstreamConfiguration) {
        self.loop.execute { self.core.value.reconfigure(configuration) }
    }
}

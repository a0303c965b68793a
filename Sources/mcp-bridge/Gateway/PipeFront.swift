import BridgeHTTPClient
import Logging
import NIOCore
import NIOPosix

/// The front of a bridge that is its client's program: it carries the client's lines to the bridge's own socket, on a loop
/// and a thread of its own. The supervisor's loop touches none of them.
struct PipeFront: Sendable {
    struct Plan: Sendable {
        let pipes: ClientPipes
        /// Where the bridge speaks HTTP to this client.
        let socket: String
        /// Whether the client answers requests for models.
        var isSource = false
        /// How long its requests are still waited for when it has closed its end.
        var farewell = StdioSettings.standardFarewell
    }

    private let relay: NIOLoopBound<StdioRelay>
    /// The client has closed its end and has its answers, or nobody reads any more.
    let ended: EventLoopFuture<Void>

    static func start(_ plan: Plan, logger: Logger) throws -> PipeFront {
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        let connections = HTTPConnections(on: loop, settings: HTTPConnectionSettings())
        let notes = StdioNotes.logged(logger)
        var settings = StdioSettings(
            place: .ownSocket(plan.socket), token: nil, names: nil,
            silence: .milliseconds(StdioSettings.standardSilence), isSilenceOfCalls: false, notes: notes)
        settings.isSource = plan.isSource
        settings.farewell = plan.farewell
        let front = try StdioFront(input: plan.pipes.input, output: plan.pipes.output, notes: notes)
        let relay = try loop.submit { [settings] in
            NIOLoopBound(StdioRelay(settings, connections, front), eventLoop: loop)
        }.wait()
        let thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        let ended = thread.runIfActive(eventLoop: loop) { front.run(relay) }
        return PipeFront(relay: relay, ended: ended)
    }

    /// Takes leave of the client, whatever is under way.
    func leave() { self.relay.eventLoop.execute { self.relay.value.leave() } }

    /// Takes leave, and waits for a moment until the client has read the last words.
    func finish() {
        self.leave()
        let loop = self.relay.eventLoop
        let finished = loop.makePromise(of: Void.self)
        self.ended.whenComplete { _ in finished.succeed() }
        loop.scheduleTask(in: .seconds(2)) { finished.succeed() }
        try? finished.futureResult.wait()
    }
}

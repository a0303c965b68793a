import HummingbirdCore
import NIOCore
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Hummingbird's half of a connection: a codec, an asynchronous channel, and a task. It joins a connection whose client asks
/// for something that is the router's. Confined to the event loop.
final class RouterHalf {
    /// A connection that has been joined, on its way to a task of its own.
    struct Joined: Sendable {
        let http: HTTP1Channel
        let channel: HTTP1Channel.Value
    }

    /// The front has stopped.
    private struct Stopped: Error {}

    private let responder: FrontResponder
    private let arrivals: AsyncStream<Joined>.Continuation
    private var isFinished = false

    /// - Parameter arrivals: whoever reads them serves each: NIO traps on a channel that is dropped unserved.
    init(_ responder: FrontResponder, arrivals: AsyncStream<Joined>.Continuation) {
        self.responder = responder
        self.arrivals = arrivals
    }

    /// - Throws: when the connection cannot be served, and has to be closed.
    func join(_ connection: ClientConnection, _ channel: any Channel) throws {
        guard !self.isFinished else { throw Stopped() }
        let responder = self.responder
        let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        let http = HTTP1Channel(
            responder: { request, writer, _ in try await responder.respond(to: request, on: bound, writer) }
        )
        try channel.pipeline.syncOperations.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        let wrapped = try HTTP1Channel.Value(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        self.arrivals.yield(Joined(http: http, channel: wrapped))
    }

    /// No connection is left, and none comes any more.
    func finish() {
        self.isFinished = true
        self.arrivals.finish()
    }
}

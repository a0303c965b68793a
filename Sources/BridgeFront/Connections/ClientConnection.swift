import BridgeConfiguration
import BridgeCore
import NIOCore
import NIOHTTP1

/// One client's connection, from the HTTP parser on: one request at a time, answered here or by the router behind it.
/// Confined to the event loop.
///
/// It is the whole of an MCP client's pipeline. What belongs to the router joins it with the first request that is the
/// router's (``RouterHalf``); from then on its requests are passed on, and its responses come back through ``write``.
final class ClientConnection: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = ByteBuffer

    // Maintained by the table.
    var list = ConnectionPlace.none
    var next: ClientConnection?
    var previous: ClientConnection?

    /// Whoever answers the current request and wants to know. Let go of once the answer has been written.
    var observer: (any ConnectionObserver)?

    enum Output {
        case open
        /// The last response is being written; then our side is closed.
        case last
        /// Our side is closed; what anybody still writes or reads is dropped.
        case closed
    }

    let state: FrontState
    let payloads: PayloadAccount
    let userID: UInt32?
    let door: FrontListener.Name
    var knownCaller: Caller?
    var clock: ConnectionClock
    /// Bytes that waited to leave when a slow reader was last looked at.
    var pendingOctets: Int?
    var timer: (task: Scheduled<Void>, at: NIODeadline)?
    private(set) var context: ChannelHandlerContext?

    // Requests.
    let incoming = IncomingRequests()
    var binding: HeadBinding?
    /// No request after the one under way is to be served on this connection.
    var isLast = false
    private(set) var isGone = false
    /// The channel is closed: nothing is waited for any more.
    private(set) var isEnded = false
    var hasRouter = false

    // Responses.
    var output = Output.open
    var isAnswering = false
    var framing = ResponseFraming.none

    /// - Parameter userID: of the process at the other end of a Unix socket.
    init(door: FrontListener.Name, userID: UInt32?, state: FrontState) {
        self.door = door
        self.userID = userID
        self.state = state
        self.payloads = PayloadAccount(state.table.payloads)
        self.clock = ConnectionClock(limits: .init(state.table.limits), now: state.clock.refresh())
    }

    var table: ConnectionTable { self.state.table }
    var isWritable: Bool { self.context?.channel.isWritable ?? false }

    /// The service stops: what is asked now is the last that is answered.
    func drain() {
        self.clock.drain(self.state.clock.refresh())
        if self.clock.inFlight > 0 { self.isLast = true }
        self.observer?.connectionDrains()
        self.arm()
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.arm()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.ended()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.ended()
        context.fireChannelInactive()
    }

    private func ended() {
        self.isGone = true
        self.isEnded = true
        self.output = .closed
        self.table.remove(self)
        self.payloads.close()
        self.timer?.task.cancel()
        self.timer = nil
        self.letGo()
        self.incoming.clear()
    }

    /// Whoever answers the current request need not any more.
    func letGo() {
        let observer = self.observer
        self.observer = nil
        observer?.clientGone()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.output != .closed else { return }
        self.arrived(self.unwrapInboundIn(data), context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.incoming.request?.settle()
        if self.hasRouter { context.fireChannelReadComplete() }
        self.arm()
    }

    /// Nothing more is read while requests wait for the one before them, or a body for room.
    func read(context: ChannelHandlerContext) {
        if self.incoming.isHeldBack { self.incoming.isReadDue = true } else { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { self.inputClosed(context) }
        context.fireUserInboundEventTriggered(event)
    }

    /// A client that has shut down its sending side has, as a rule, closed its socket. Whatever it asked of MCP is
    /// abandoned; any other answer is short and still worth a try.
    private func inputClosed(_ context: ChannelHandlerContext) {
        self.incoming.request?.settle()
        self.isGone = true
        self.isLast = true
        if self.observer != nil {
            self.letGo()
            context.close(promise: nil)
        } else if self.incoming.isBetween, self.output == .open {
            self.closeOutput(context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.clock.writabilityChanged(context.channel.isWritable, self.state.clock.refresh())
        self.pendingOctets = nil
        self.rest()
        if context.channel.isWritable {
            self.observer?.connectionBecameWritable()
            self.takeWaiting()
        }
        self.arm()
        if self.hasRouter { context.fireChannelWritabilityChanged() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case HTTPParserError.headerOverflow: self.faulted(.headerTooLarge(limit: self.table.limits.maximumHeaderBytes))
        case HTTPParserError.invalidEOFState, HTTPParserError.closedConnection:
            self.incoming.request?.settle()
            context.close(promise: nil)
        case is HTTPParserError: self.faulted(.malformedHTTP)
        case is ChannelError, is IOError: context.fireErrorCaught(error)
        default: self.faulted(.malformedHTTP)
        }
    }

    // MARK: For the router's half

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        self.writeRouted(self.unwrapOutboundIn(data), context, promise)
    }

    func flush(context: ChannelHandlerContext) {
        self.flushNow(context)
        self.requestIsOver()
    }
}

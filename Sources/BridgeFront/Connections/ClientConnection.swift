import BridgeCore
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// What Hummingbird's `HTTP1Channel` leaves to its server: knows of each connection whether it is idle, slow or gone, and
/// when it must be closed. Confined to the event loop.
///
/// It sits between the HTTP codec and the asynchronous channel, and sees every part of every request and response.
final class ClientConnection: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    // Maintained by the table.
    var list = ConnectionPlace.none
    var next: ClientConnection?
    var previous: ClientConnection?

    /// Whoever answers the current request and wants to know. Let go of once the answer has been written.
    var observer: (any ConnectionObserver)?

    private enum Output {
        case open
        /// The last response is being written; then our side is closed.
        case last
        /// Our side is closed; what anybody still writes or reads is dropped.
        case closed
    }

    let table: ConnectionTable
    let payloads: PayloadAccount
    private let date: HTTPDate
    let userID: UInt32?
    let door: FrontListener.Name
    var knownCaller: Caller?
    var clock: ConnectionClock
    /// Bytes that waited to leave when a slow reader was last looked at.
    var pendingOctets: Int?
    var timer: (task: Scheduled<Void>, at: NIODeadline)?
    private(set) var context: ChannelHandlerContext?

    private var output = Output.open
    private var isAnswering = false
    private var isStreaming = false
    private var flushScheduled = false
    private(set) var requestsComplete = 0
    private var requestsServed = 0
    /// How the body ended that last arrived.
    private(set) var bodyTail: RequestEnd.Tail?
    /// No request after the one under way is to be served on this connection.
    private var isLast = false
    private(set) var isGone = false
    /// What the HTTP/1 head that comes next said of persistence.
    var nextIsLast = false

    /// - Parameter userID: of the process at the other end of a Unix socket.
    init(door: FrontListener.Name, userID: UInt32?, table: ConnectionTable, date: HTTPDate) {
        self.door = door
        self.userID = userID
        self.table = table
        self.payloads = PayloadAccount(table.payloads)
        self.date = date
        self.clock = ConnectionClock(limits: .init(table.limits), now: .now())
    }

    // MARK: For whoever answers

    /// The next request's turn has come.
    func beginRequest() { self.requestsServed += 1 }

    /// Whether all of the current request has arrived. An input that was closed early looks like the end of the body
    /// otherwise.
    var requestIsComplete: Bool { self.requestsComplete >= self.requestsServed }

    /// The current request is answered without its body having been read: a long one is not worth waiting for.
    func abandonBody(_ fields: RequestFields) {
        if !self.requestIsComplete, fields.announcesLongBody { self.isLast = true }
    }

    /// Tells a client that waits for it to send its body.
    func sendContinue() {
        guard self.output == .open, !self.isAnswering, let context = self.context else { return }
        context.writeAndFlush(self.wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }

    /// The service stops: what is asked now is the last that is answered.
    func drain() {
        let now = NIODeadline.now()
        self.clock.drain(now)
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
        self.table.remove(self)
        self.payloads.close()
        self.timer?.task.cancel()
        self.timer = nil
        self.observer?.clientGone()
        self.observer = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            // A client that has shut down its sending side has, as a rule, closed its socket. Whatever it asked of MCP is
            // abandoned; any other answer is short and still worth a try.
            self.isGone = true
            self.isLast = true
            if let observer = self.observer {
                observer.clientGone()
                context.close(promise: nil)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.clock.writabilityChanged(context.channel.isWritable, .now())
        self.pendingOctets = nil
        self.rest()
        self.arm()
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case HTTPParserError.headerOverflow: self.refuse(.headerTooLarge)
        case HTTPParserError.invalidEOFState, HTTPParserError.closedConnection: context.close(promise: nil)
        case is HTTPParserError: self.refuse(.malformedHTTP)
        case is ChannelError, is IOError: context.fireErrorCaught(error)
        default: self.refuse(.malformedHTTP)  // the codec could make no request of it
        }
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.output != .closed else { return }
        switch self.unwrapInboundIn(data) {
        case .head:
            self.clock.headArrived(.now())
            self.bodyTail = nil
            self.table.becameBusy(self)
            if self.nextIsLast || self.table.isDraining { self.isLast = true }
        case .body(let octets):
            self.clock.bodyArrived(octets.readableBytes)
            self.bodyTail = RequestEnd.Tail(octets)
        case .end:
            self.requestsComplete += 1
            self.clock.requestEnded(.now())
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        self.arm()
    }

    // MARK: Responses

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard self.output != .closed else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch self.unwrapOutboundIn(data) {
        case .head(var head) where head.status.kind != .informational:
            self.isAnswering = true
            self.isStreaming = head.headerFields[.contentType] == EventStream.contentType.value
            if self.isLast || head.headerFields[.connection] == "close" {
                self.output = .last
                head.headerFields[.connection] = "close"
            }
            head.headerFields.append(self.date.field)
            context.write(self.wrapOutboundOut(.head(head)), promise: promise)
        case .head:
            context.write(data, promise: promise)
        case .body(let octets):
            let written = self.payloads.holdWritten(
                octets.readableBytes, promise: promise, on: context.eventLoop)
            context.write(data, promise: written)
        case .end:
            context.write(data, promise: promise)
            self.answered()
        }
    }

    private func answered() {
        self.isAnswering = false
        self.isStreaming = false
        self.observer = nil
        self.clock.responseEnded(.now())
        if self.isLast { self.output = .last }
        self.rest()
    }

    /// Only who has read its answers may have to make room for somebody else.
    private func rest() {
        if self.clock.isIdle, self.output == .open { self.table.becameIdle(self) }
    }

    /// The parts of a stream that are written in one turn of the loop leave together.
    func flush(context: ChannelHandlerContext) {
        guard self.isStreaming else { return self.flushNow(context) }
        guard !self.flushScheduled else { return }
        self.flushScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.flushScheduled = false
            if let context = self.context { self.flushNow(context) }
        }
    }

    private func flushNow(_ context: ChannelHandlerContext) {
        context.flush()
        if self.output == .last, !self.isAnswering {
            self.closeOutput(context)
        } else {
            self.arm()
        }
    }

    /// Closes our side and gives the client a moment to read what it was sent, before a reset can take it away.
    private func closeOutput(_ context: ChannelHandlerContext) {
        self.output = .closed
        let closed = context.eventLoop.makePromise(of: Void.self)
        closed.futureResult.assumeIsolated().whenComplete { _ in
            self.clock.outputClosed(.now())
            self.arm()
        }
        context.close(mode: .output, promise: closed)
    }

    /// Answers in place of whoever should have, and closes.
    func refuse(_ refusal: Refusal) {
        guard let context = self.context, self.output != .closed else { return }
        self.table.refused(refusal)
        switch self.clock.fault {
        case .laterRequest:
            self.isLast = true  // the one before it still gets its answer
            return
        case .answeredBody:
            context.close(promise: nil)
            return
        case .nextRequest, .currentBody:
            guard self.isAnswering else { break }
            context.close(promise: nil)
            return
        }
        self.observer?.clientGone()
        self.observer = nil
        let body = refusal.body(.plain)
        var head = HTTPResponse(status: refusal.status)
        head.headerFields.append(.json)
        head.headerFields.append(.close)
        head.headerFields.append(HTTPField(name: .contentLength, value: String(body.readableBytes)))
        head.headerFields.append(self.date.field)
        context.write(self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(self.wrapOutboundOut(.body(body)), promise: nil)
        context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
        self.closeOutput(context)
    }
}

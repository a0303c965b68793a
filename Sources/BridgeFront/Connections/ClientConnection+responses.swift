import BridgeCore
import NIOCore
import NIOHTTP1

// MARK: Responses of the front's own path

extension ClientConnection {
    /// Tells a client that waits for it to send its body.
    func sendContinue() {
        guard self.output == .open, !self.isAnswering, !self.incoming.peer.isHTTP10, let context = self.context else {
            return
        }
        context.writeAndFlush(self.wrapOutboundOut(ResponseHead.continue), promise: nil)
    }

    /// Answers the request under way with one body, in one write where it is small.
    func answer(_ head: ResponseHead, _ body: ByteBuffer?) {
        guard self.output != .closed, let context = self.context else { return }
        let body = self.incoming.peer.wantsHeadOnly ? nil : body
        let length = body?.readableBytes ?? 0
        let isSmall = length <= ResponseFraming.copyLimit
        self.state.scratch.clear()
        self.begin(head, into: &self.state.scratch)
        if let body, isSmall, self.framing != .none { self.state.scratch.writeImmutableBuffer(body) }
        context.write(self.wrapOutboundOut(self.state.scratch), promise: nil)
        if let body, !isSmall, self.framing != .none {
            let written = self.payloads.holdWritten(length, promise: nil, on: context.eventLoop)
            context.write(self.wrapOutboundOut(body), promise: written)
        }
        self.endAnswer(context)
    }

    func beginStream(_ head: ResponseHead) {
        guard self.output != .closed, let context = self.context else { return }
        var bytes = context.channel.allocator.buffer(capacity: 512)
        self.begin(head, into: &bytes)
        context.write(self.wrapOutboundOut(bytes), promise: nil)
    }

    /// Flushed by ``flushStream()`` or ``endStream()``.
    func writeStream(_ octets: ByteBuffer) {
        guard self.output != .closed, let context = self.context else { return }
        self.writeBody(octets, context, nil)
    }

    /// The same, of events of which it matters whether anybody can have read them.
    ///
    /// - Parameter left: succeeds once all but the last three bytes have left, an object's last one and the end of its event:
    ///   without these nobody knows what it says. Fails when they never will.
    func writeStream(_ octets: ByteBuffer, allButEnd left: EventLoopPromise<Void>) {
        guard self.output != .closed, self.framing != .none, octets.readableBytes > 3, let context = self.context else {
            return left.fail(ChannelError.ioOnClosedChannel)
        }
        var bytes = ByteBuffer()
        if self.framing == .chunked { ResponseFraming.write(chunkOf: octets.readableBytes, to: &bytes) }
        context.write(self.wrapOutboundOut(bytes), promise: nil)
        var (most, end) = (octets, ByteBuffer())
        most.moveWriterIndex(to: octets.writerIndex - 3)
        end.writeBytes(octets.readableBytesView.suffix(3))
        context.write(self.wrapOutboundOut(most), promise: left)
        if self.framing == .chunked { end.writeImmutableBuffer(ResponseFraming.chunkEnd) }
        let written = self.payloads.holdWritten(octets.readableBytes, promise: nil, on: context.eventLoop)
        context.write(self.wrapOutboundOut(end), promise: written)
    }

    func flushStream() { self.context?.flush() }

    func endStream() {
        guard self.output != .closed, let context = self.context else { return }
        self.writeEnd(context, nil)
        self.endAnswer(context)
    }

    private func begin(_ head: ResponseHead, into bytes: inout ByteBuffer) {
        var head = head
        if self.isLast || head.closes {
            self.output = .last
            head.closes = true
        }
        self.isAnswering = true
        self.framing = head.write(to: &bytes, for: self.incoming.peer, date: self.state.date)
    }

    private func endAnswer(_ context: ChannelHandlerContext) {
        self.answered()
        self.flushNow(context)
        self.requestIsOver()
    }
}

// MARK: Responses of the router

extension ClientConnection {
    func writeRouted(
        _ part: HTTPServerResponsePart, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?
    ) {
        guard self.output != .closed, case .router = self.incoming.server else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch part {
        case .head(let head):
            self.isAnswering = true
            if self.isLast || head.headers.contains(name: "connection") { self.output = .last }
            var bytes = context.channel.allocator.buffer(capacity: 512)
            self.framing = ResponseHead.write(
                head, closes: self.output == .last, to: &bytes, for: self.incoming.peer, date: self.state.date)
            context.write(self.wrapOutboundOut(bytes), promise: promise)
        case .body(.byteBuffer(let octets)): self.writeBody(octets, context, promise)
        case .body(.fileRegion): promise?.fail(ChannelError.operationUnsupported)
        case .end:
            self.writeEnd(context, promise)
            self.answered()
        }
    }
}

// MARK: Both

extension ClientConnection {
    private func writeBody(_ octets: ByteBuffer, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        guard octets.readableBytes > 0, self.framing != .none else {
            if let promise { context.write(self.wrapOutboundOut(ByteBuffer()), promise: promise) }
            return
        }
        let written = self.payloads.holdWritten(octets.readableBytes, promise: promise, on: context.eventLoop)
        guard self.framing == .chunked else { return context.write(self.wrapOutboundOut(octets), promise: written) }
        let isSmall = octets.readableBytes <= ResponseFraming.copyLimit
        var bytes = context.channel.allocator.buffer(capacity: (isSmall ? octets.readableBytes : 0) + 16)
        if isSmall {
            self.framing.write(octets, to: &bytes)
            return context.write(self.wrapOutboundOut(bytes), promise: written)
        }
        ResponseFraming.write(chunkOf: octets.readableBytes, to: &bytes)
        context.write(self.wrapOutboundOut(bytes), promise: nil)
        context.write(self.wrapOutboundOut(octets), promise: nil)
        context.write(self.wrapOutboundOut(ResponseFraming.chunkEnd), promise: written)
    }

    private func writeEnd(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        guard self.framing == .chunked || promise != nil else { return }
        var bytes = ByteBuffer()
        if self.framing == .chunked { bytes.writeStaticString(ResponseFraming.lastChunk) }
        context.write(self.wrapOutboundOut(bytes), promise: promise)
    }

    /// The answer has been given to the channel, if not flushed.
    private func answered() {
        self.isAnswering = false
        self.observer = nil
        self.clock.responseEnded(self.state.clock.now)
        self.incoming.isAnswered = true
        if self.isLast { self.output = .last }
        self.rest()
    }

    /// Only who has read its answers may have to make room for somebody else.
    func rest() {
        if self.clock.isIdle, self.output == .open { self.table.becameIdle(self) }
    }

    func flushNow(_ context: ChannelHandlerContext) {
        context.flush()
        if self.output == .last, !self.isAnswering {
            self.closeOutput(context)
        } else {
            self.arm()
        }
    }

    /// Closes our side and gives the client a moment to read what it was sent, before a reset can take it away.
    func closeOutput(_ context: ChannelHandlerContext) {
        self.output = .closed
        let closed = context.eventLoop.makePromise(of: Void.self)
        closed.futureResult.assumeIsolated().whenComplete { _ in
            self.clock.outputClosed(self.state.clock.refresh())
            self.arm()
        }
        context.close(mode: .output, promise: closed)
    }

    /// Answers in place of whoever should have, and closes.
    func refuse(_ refusal: Refusal) {
        guard let context = self.context, self.output != .closed else { return }
        self.table.refused(refusal)
        switch self.clock.fault {
        case .answeredBody:
            context.close(promise: nil)
            return
        case .nextRequest, .currentBody:
            guard self.isAnswering else { break }
            context.close(promise: nil)
            return
        }
        let body = self.body(of: refusal)
        self.letGo()
        var head = ResponseHead(refusal, length: body.readableBytes)
        head.field = nil
        var bytes = ByteBuffer()
        _ = head.write(to: &bytes, for: .any, date: self.state.date)
        bytes.writeImmutableBuffer(body)
        context.writeAndFlush(self.wrapOutboundOut(bytes), promise: nil)
        self.closeOutput(context)
    }

    /// In the words of whoever asked, where that much is known: the head of the request has been read.
    private func body(of refusal: Refusal) -> ByteBuffer {
        guard self.clock.fault == .currentBody else { return refusal.body(.plain) }
        switch self.incoming.server {
        case .own(let request): return request.body(of: refusal)
        case .router, .nobody: return refusal.body(.plain)
        }
    }
}

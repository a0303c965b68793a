import BridgeConfiguration
import BridgeCore
import NIOCore
import NIOHTTP1

// MARK: Requests, one at a time

extension ClientConnection {
    /// A part comes from the parser.
    func arrived(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head:
            self.incoming.bodyTail = nil
            self.incoming.hasBeginning = false
        case .body(let octets): self.incoming.bodyTail = RequestEnd.Tail(octets)
        case .end: self.incoming.arrivedEnds += 1
        }
        if self.incoming.hasWaiting || !self.incoming.canTake(part, isWritable: self.isWritable) {
            self.incoming.wait(for: .part(part))
        } else {
            self.take(part, context)
        }
    }

    /// Bytes of a client are about to be parsed.
    func bytesArrive() { self.clock.bytesArrived(self.state.clock.refresh()) }

    /// A read in which a request ended has been parsed.
    ///
    /// - Parameter isFollowed: whether it brought the beginning of another, of which the parser says nothing yet.
    func requestEndArrived(isFollowed: Bool) {
        self.incoming.hasBeginning = isFollowed
        if isFollowed, !self.incoming.hasWaiting { self.clock.bytesArrived(self.state.clock.now) }
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head): self.begin(head, context)
        case .body(let octets):
            self.clock.bodyArrived(octets.readableBytes)
            switch self.incoming.server {
            case .own(let request): request.take(octets)
            case .router: context.fireChannelRead(self.wrapInboundOut(part))
            case .nobody: break
            }
        case .end:
            self.clock.requestEnded(self.state.clock.now)
            self.incoming.isComplete = true
            switch self.incoming.server {
            case .own(let request): request.complete()
            case .router: context.fireChannelRead(self.wrapInboundOut(part))
            case .nobody: break
            }
            self.requestIsOver()
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        self.clock.headArrived(self.state.clock.now)
        self.table.becameBusy(self)
        self.incoming.isComplete = false
        self.incoming.isAnswered = false
        self.incoming.peer = ResponsePeer(head)
        if self.door == .receiver {
            self.beginRouted(head, RequestLine(head), context)
        } else if let (endpoint, operation) = self.state.endpoints.endpoint(head.method, head.uri) {
            self.beginOwn(head, endpoint, operation)
        } else if head.method != .OPTIONS, let target = self.state.endpoints.chat(head.uri) {
            self.begin(self.chatCall(head, target))
        } else {
            self.beginOther(head, RequestLine(head), context)
        }
    }

    /// What asks for no path of the front's own, as it stands. A whole URL may.
    private func beginOther(_ head: HTTPRequestHead, _ line: RequestLine, _ context: ChannelHandlerContext) {
        if case .url(_, let path) = line.target, let own = self.state.endpoints.endpoint(head.method, path) {
            self.beginOwn(head, own.endpoint, own.operation)
        } else if case .url(_, let path) = line.target, head.method != .OPTIONS,
            let target = self.state.endpoints.chat(path)
        {
            self.begin(self.chatCall(head, target))
        } else {
            self.beginRouted(head, line, context)
        }
    }

    /// The decoder stops at a request to upgrade: what follows on the connection would never be read.
    func note(_ head: HTTPRequestHead, _ fields: RequestFields) {
        if self.door == .receiver || fields.wantsUpgrade || self.incoming.peer.isHTTP10 || !head.isKeepAlive
            || self.table.isDraining
        {
            self.isLast = true
        }
    }

    // MARK: The front's own path

    private func beginOwn(_ head: HTTPRequestHead, _ endpoint: Endpoint, _ operation: Endpoint.Operation) {
        let request = self.boundRequest(head, endpoint) ?? self.newRequest(head, endpoint, operation)
        self.begin(request)
    }

    private func begin(_ request: any OwnRequest) {
        self.incoming.server = .own(request)
        self.observer = request
        request.begin()
    }

    /// A request whose head is that of the one before it.
    private func boundRequest(_ head: HTTPRequestHead, _ endpoint: Endpoint) -> FrontRequest? {
        guard let binding, head.method == .POST else { return nil }
        let limit = self.state.configuration.limits.maximumBodyBytes
        guard let match = binding.match(head, epoch: self.state.epoch, bodyLimit: limit), binding.isGood() else {
            return nil
        }
        self.note(head, binding.verdict.fields)
        self.binding?.isUsed(self.state.bindings)
        return FrontRequest(
            self, endpoint, .post, binding.verdict, contentLength: match.contentLength, caller: self.binding?.caller)
    }

    private func newRequest(
        _ head: HTTPRequestHead, _ endpoint: Endpoint, _ operation: Endpoint.Operation
    ) -> FrontRequest {
        let fields = RequestFields(head.headers)
        self.note(head, fields)
        let verdict = HeadVerdict(
            head, fields, endpoint, operation, door: self.state.door, tokens: self.state.tokens, caller: self.caller,
            bodyLimit: self.state.configuration.limits.maximumBodyBytes
        )
        if operation == .post, verdict.refusal == nil {
            self.binding = HeadBinding(head, verdict, epoch: self.state.epoch)
        }
        return FrontRequest(self, endpoint, operation, verdict, contentLength: fields.contentLength)
    }

    // MARK: The router's

    private func beginRouted(_ head: HTTPRequestHead, _ line: RequestLine, _ context: ChannelHandlerContext) {
        let fields = RequestFields(head.headers)
        self.note(head, fields)
        if head.method == .CONNECT { self.isLast = true }  // here, too, the decoder stops
        self.incoming.fields = fields
        self.incoming.line = line
        self.incoming.server = .router
        if !self.hasRouter {
            do {
                try self.state.router?.join(self, context.channel)
                self.hasRouter = true
            } catch {
                return context.close(promise: nil)
            }
        }
        var head = head
        switch line.target {
        case .path: break
        case .url(let authority, let path):
            head.uri = path
            head.headers.replaceOrAdd(name: "Host", value: authority)
        case .service, .foreign: head.uri = "*"  // the codec would make a path of it; the door knows what it was
        }
        context.fireChannelRead(self.wrapInboundOut(.head(head)))
    }

    // MARK: For whoever answers

    /// Whether all of the current request has arrived. An input that was closed early looks like the end of the body
    /// otherwise.
    var requestIsComplete: Bool { self.incoming.isComplete }

    /// The current request is answered without its body having been read.
    ///
    /// - Parameter endsConnection: whether what is left of it is not read either (``RequestFields/endsConnection(refusedWith:)``).
    func abandonBody(endsConnection: Bool) {
        if !self.requestIsComplete, endsConnection { self.isLast = true }
    }

    /// The body of the current request waits for room: nothing of it is read meanwhile.
    func holdRequest(_ isHeld: Bool) {
        self.incoming.isHeld = isHeld
        self.holdBody(isHeld)
        if !isHeld { self.takeWaiting() }
    }

    /// The request under way is over when all of it has arrived and has been answered.
    func requestIsOver() {
        guard self.incoming.isComplete, self.incoming.isAnswered else { return }
        self.incoming.server = .nobody
        self.takeWaiting()
    }

    // MARK: What waits

    /// Looks at what waits, as far as it can be looked at now.
    func takeWaiting() {
        guard !self.incoming.isTaking, let context = self.context else { return }
        self.incoming.isTaking = true
        var hasTaken = false
        while self.output == .open, let next = self.incoming.next(isWritable: self.isWritable) {
            hasTaken = true
            switch next {
            case .part(let part): self.take(part, context)
            case .fault(let refusal): self.refuse(refusal)
            }
        }
        self.incoming.isTaking = false
        if hasTaken { self.haveTaken(context) }
        if self.incoming.isReadDue, !self.incoming.isHeldBack {
            self.incoming.isReadDue = false
            context.read()
        }
    }

    private func haveTaken(_ context: ChannelHandlerContext) {
        if self.incoming.hasBeginning, !self.incoming.hasWaiting { self.clock.bytesArrived(self.state.clock.now) }
        self.incoming.request?.settle()
        if self.hasRouter { context.fireChannelReadComplete() }
        self.arm()
    }

    /// The parser can make nothing of what has arrived.
    func faulted(_ refusal: Refusal) {
        let isLater = self.incoming.hasWaiting || (self.incoming.isComplete && !self.incoming.isAnswered)
        if isLater, !self.incoming.isHeld {
            self.incoming.wait(for: .fault(refusal))  // those before it still get their answers
        } else {
            self.refuse(refusal)
        }
    }
}

import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// A request that waits for upstreams which have never been listed: a list for all of them, a call for the one that has
/// its tool.
struct WaitingRequest {
    let id: RPCID
    let stream: ClientStream
    /// Of the tool, in a call.
    let tool: String?
    let answer: () -> Void
}

extension SessionWorker {
    func list(_ message: RPCMessage, id: RPCID, on stream: ClientStream, _ request: ClientRequest) {
        let safe: Bool
        switch request.exchange.header.string("names") {
        case "safe": safe = true
        case "dot": safe = false
        default: safe = stream.session.claims.safeNames
        }
        let cursor = message.param("cursor").map { message.text[$0] }
        for upstream in self.upstreams { upstream.wakeForListing(listWait: self.configuration.listWait) }
        self.bringCatalogueUpToDate()
        let answer = { [weak self] in
            guard let self else { return }
            stream.reply(self.listReply(to: id.bytes, cursor: cursor, safe: safe))
        }
        if self.wait(WaitingRequest(id: id, stream: stream, tool: nil, answer: answer)) != .waits { answer() }
    }

    /// Holds a call back whose tool may be one of an upstream that has not been listed yet, as just after a start.
    ///
    func wait(forTool name: String, id: RPCID, on stream: ClientStream, _ answer: @escaping () -> Void) -> Wait {
        for upstream in self.upstreams { upstream.wakeForListing(listWait: self.configuration.listWait) }
        return self.wait(WaitingRequest(id: id, stream: stream, tool: name, answer: answer))
    }

    /// Answers as cancelled what waits in a session: the request of this id, or all of them.
    func cancelWaiting(in session: LiveSession, id: RPCID? = nil) {
        let cancelled = self.waitingRequests.filter { $0.stream.session === session && (id == nil || $0.id == id) }
        guard !cancelled.isEmpty else { return }
        self.waitingRequests.removeAll { $0.stream.session === session && (id == nil || $0.id == id) }
        for request in cancelled { request.stream.reply(BridgeError.cancelled.reply(to: request.id.bytes)) }
    }

    /// What becomes of a request that might wait for an upstream.
    enum Wait {
        case waits
        /// Every upstream has been listed, or will not be soon.
        case pointless
        /// Too many wait already.
        case full
    }

    /// More requests than this do not wait.
    static let maximumWaiting = 1_024

    private func wait(_ request: WaitingRequest) -> Wait {
        guard self.isAwaitingUpstreams else { return .pointless }
        guard self.waitingRequests.count < Self.maximumWaiting else { return .full }
        self.waitingRequests.append(request)
        self.wakeWhenWaitIsOver()
        return .waits
    }

    private var isAwaitingUpstreams: Bool {
        let now = NIODeadline.now()
        return self.upstreams.contains { $0.isAwaited(now: now) }
    }

    /// Answers the requests that wait and need not any longer.
    func serveWaitingRequests() {
        guard !self.waitingRequests.isEmpty else { return }
        // One that was not known to rest when the request came.
        for upstream in self.upstreams {
            upstream.wakeForListing(listWait: self.configuration.listWait, again: false)
        }
        self.bringCatalogueUpToDate()
        let isOver = !self.isAwaitingUpstreams
        let waiting = self.waitingRequests
        self.waitingRequests = []
        for request in waiting {
            if isOver || request.tool.map({ self.catalogue[$0] != nil }) ?? false {
                request.answer()
            } else {
                self.waitingRequests.append(request)
            }
        }
    }

    private func wakeWhenWaitIsOver() {
        let now = NIODeadline.now()
        let next = self.upstreams.filter { $0.isAwaited(now: now) }.map(\.awaitedUntil).max()
        guard let next else { return }
        self.loop.assumeIsolated().scheduleTask(deadline: next + .milliseconds(1)) { [weak self] in
            self?.serveWaitingRequests()
        }
    }

    private func listReply(to id: ByteBuffer, cursor: JSONText?, safe: Bool) -> ByteBuffer {
        let total = self.catalogue.tools.count
        var start = 0
        if let cursor, !cursor.isNull {
            guard let text = cursor.string, text.hasPrefix("p"), let position = Int(text.dropFirst()),
                position > 0, position <= total, self.configuration.pageSize != nil
            else { return BridgeError.invalidParams("Invalid cursor").reply(to: id) }
            start = position
        }
        guard let size = self.configuration.pageSize, total - start > size else {
            let rest = start == 0 ? self.wholeList(safe: safe) : self.catalogue.page(start..<total, safe: safe)
            return Self.reply(to: id, tools: rest, next: nil)
        }
        let page = self.catalogue.page(start..<start + size, safe: safe)
        return Self.reply(to: id, tools: page, next: "p\(start + size)")
    }

    private func wholeList(safe: Bool) -> ByteBuffer { safe ? self.catalogue.safeList : self.catalogue.dotList }

    private static func reply(to id: ByteBuffer, tools: ByteBuffer, next: String?) -> ByteBuffer {
        var reply = ByteBuffer()
        reply.reserveCapacity(tools.readableBytes + id.readableBytes + 96)
        reply.writeStaticString(#"{"jsonrpc":"2.0","id":"#)
        reply.writeImmutableBuffer(id)
        reply.writeStaticString(#","result":{"tools":"#)
        reply.writeImmutableBuffer(tools)
        if let next {
            reply.writeStaticString(#","nextCursor":"#)
            reply.writeJSONString(next)
        }
        reply.writeStaticString("}}")
        return reply
    }

    /// For `GET /tools`: every upstream's tools under their dotted names.
    func toolsByServer() -> JSONText {
        var names = self.upstreams.map { _ in [String]() }
        for tool in self.catalogue.tools { names[tool.upstream].append(tool.names.dot) }
        return JSONWriter.object { body in
            body.memberObject("tools") { servers in
                for (upstream, names) in zip(self.upstreams, names).sorted(by: { $0.0.route.name < $1.0.route.name }) {
                    servers.memberArray(upstream.route.name) { list in for name in names { list.element(name) } }
                }
            }
        }
    }
}

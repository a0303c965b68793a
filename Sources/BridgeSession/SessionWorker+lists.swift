import BridgeCore
import BridgeLink
import NIOCore

/// A `tools/list` that waits for upstreams which have never been listed.
struct WaitingList {
    let since: NIODeadline
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
        guard self.isAwaitingUpstreams, self.waitingLists.count < 1_024 else { return answer() }
        self.waitingLists.append(WaitingList(since: .now(), answer: answer))
        self.wakeWhenWaitIsOver()
    }

    private var isAwaitingUpstreams: Bool {
        let now = NIODeadline.now()
        return self.upstreams.contains { $0.isAwaited(now: now) }
    }

    /// Answers the lists that wait, once nothing is left to wait for. A lock-step of all: who came later waits no longer.
    func serveWaitingLists() {
        guard !self.waitingLists.isEmpty, !self.isAwaitingUpstreams else { return }
        self.bringCatalogueUpToDate()
        let lists = self.waitingLists
        self.waitingLists = []
        for list in lists { list.answer() }
    }

    private func wakeWhenWaitIsOver() {
        let now = NIODeadline.now()
        let next = self.upstreams.filter { $0.isAwaited(now: now) }.map(\.awaitedUntil).max()
        guard let next else { return }
        self.loop.assumeIsolated().scheduleTask(deadline: next + .milliseconds(1)) { [weak self] in
            self?.serveWaitingLists()
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

import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// One answer to `tasks/list`: each task as its server says it is now. What its server does not know, or does not tell in
/// time, is left out: `tasks/get` would say no more.
final class TaskPage {
    /// No more tasks stand on a page: all of them are asked about at once.
    static let maximum = 64
    /// How long servers are waited for.
    static let patience = TimeAmount.seconds(5)

    let request: PendingRequest
    private let tasks: TaskDesk
    private let next: String?
    let count: Int
    /// Its principal, where that may have so many calls under way and no more.
    let limited: String?
    private var entries: [JSONText?]
    private var missing: Int
    /// Who has not answered yet.
    private var asked: [Int: (upstream: UpstreamLink, exchange: Exchange)] = [:]
    private var timer: Scheduled<Void>?
    private var isOver = false

    init(_ tasks: TaskDesk, _ request: PendingRequest, count: Int, next: String?) {
        self.tasks = tasks
        self.request = request
        self.next = next
        self.count = count
        self.limited = request.caller.concurrency.map { _ in request.caller.principal }
        self.entries = Array(repeating: nil, count: count)
        self.missing = count
    }

    /// Asks about all of them, each of which counts as a call. To be told of the end: ``TaskDesk/pageEnded(_:)``.
    func ask(_ records: [TaskLedger.Record]) {
        self.timer = self.tasks.loop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in self?.finish() }
        for (index, record) in records.enumerated() {
            guard let upstream = self.tasks.upstream(record.claims.key.server) else {
                self.take(nil, at: index)
                continue
            }
            upstream.callBegan()
            self.asked[index] = (
                upstream,
                self.tasks.look(at: record.claims, at: upstream, self.request.requestID, for: self.request.caller) {
                    [weak self] entry in
                    self?.take(entry, at: index)
                }
            )
        }
        if records.isEmpty { self.finish() }
    }

    private func take(_ entry: JSONText?, at index: Int) {
        if let (upstream, _) = self.asked.removeValue(forKey: index) { upstream.callEnded() }
        self.entries[index] = entry
        self.missing -= 1
        if self.missing == 0 { self.finish() }
    }

    private func finish() {
        guard self.leave() else { return }
        let result = JSONWriter.object { result in
            result.memberArray("tasks") { list in
                for entry in self.entries.compactMap({ $0 }) { list.element(entry) }
            }
            result.member("nextCursor", ifPresent: self.next)
        }
        self.request.succeed(result)
    }

    /// Its client does not want it any more.
    func drop() { if self.leave() { self.request.stream.drop() } }

    /// Its session is over.
    func abort() { if self.leave() { self.request.refuse(.cancelled) } }

    /// What has been asked is taken back.
    private func leave() -> Bool {
        guard !self.isOver else { return false }
        self.isOver = true
        self.timer?.cancel()
        for (upstream, exchange) in self.asked.values {
            exchange.cancel(reason: Fault.cancelled.word)
            upstream.callEnded()
        }
        self.asked = [:]
        self.tasks.pageEnded(self)
        return true
    }

    /// Whether a server that answers so does not know the task.
    static func isUnknown(_ response: JSONText) -> Bool {
        response.value("error")?.int("code") == Fault.invalidParams.code
    }
}

extension TaskDesk {
    /// `tasks/list`. The cursor is the id of the last task on the page before.
    func list(_ request: PendingRequest) {
        var last: TaskClaims?
        if let cursor = request.message.param("cursor"), cursor.kind != .null {
            let name = request.message.text[cursor].string
            last = name.flatMap { self.claims(in: $0, of: request.caller.principal) }
            guard last != nil else { return request.refuse(.invalidParams("Invalid cursor")) }
        }
        let size = min(max(self.configuration.pageSize ?? TaskPage.maximum, 1), TaskPage.maximum)
        let records = self.records.records(of: request.caller.principal, behind: last)
            .filter { request.caller.view?.sees($0.claims.key.server) ?? true }
        let shown = Array(records.prefix(size))
        let next = records.count > size ? shown.last.flatMap { self.names.name(of: $0.claims) } : nil
        guard self.desk.reserve(shown.count, for: request) else { return }
        let page = TaskPage(self, request, count: shown.count, next: next)
        self.pages[ObjectIdentifier(page)] = page
        page.ask(shown)
    }

    func pageEnded(_ page: TaskPage) {
        guard self.pages.removeValue(forKey: ObjectIdentifier(page)) != nil else { return }
        self.desk.release(page.count, ofLimited: page.limited)
    }

    /// Lets go, without an answer, of a list that its client does not want any more.
    func drop(_ id: RPCID, of caller: Caller) {
        for page in self.pages.values where page.request.id == id && page.request.caller === caller { page.drop() }
    }

    /// Answers as cancelled the lists that a caller waits for.
    func cancelAll(of caller: Caller) {
        for page in self.pages.values where page.request.caller === caller { page.abort() }
    }

    /// Asks a server how a task is.
    ///
    /// - Parameter done: given the task as its client is told of it; nil where its server does not know it, or does not say.
    /// - Returns: the exchange, which the answer ends.
    @discardableResult
    func look(
        at claims: TaskClaims, at upstream: UpstreamLink, _ requestID: String, for caller: Caller,
        _ done: @escaping (JSONText?) -> Void = { _ in }
    ) -> Exchange {
        self.ask("tasks/get", claims.key, at: upstream, requestID, for: caller) { [weak self] answer in
            guard let self, case .ended(let header, let payload?) = answer else { return done(nil) }
            done(self.heard(payload, UpstreamEnd(header)?.failure, of: claims))
        }
    }

    private func heard(_ response: ByteBuffer, _ failure: String?, of claims: TaskClaims) -> JSONText? {
        guard failure == nil, let state = TaskMessages.state(response) else {
            let isUnknown = TaskPage.isUnknown(JSONText(trusting: response)) || failure == Fault.unknownTask.word
            if isUnknown { self.records.forget(claims.key) }
            return nil
        }
        // Of one that has been forgotten meanwhile nothing is remembered anew.
        if self.records[claims.key] != nil {
            self.records.heard(claims, ttl: state.ttl, isOver: state.status?.isFinal == true)
        }
        guard let name = self.names.name(of: claims) else { return nil }
        return JSONText(trusting: TaskMessages.told(response) { $0 == state.id ? name : nil }).value("result")
    }
}

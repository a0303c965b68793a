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
    private var entries: [JSONText?]
    private var missing: Int
    private var isOver = false

    init(_ tasks: TaskDesk, _ request: PendingRequest, count: Int, next: String?) {
        self.tasks = tasks
        self.request = request
        self.next = next
        self.entries = Array(repeating: nil, count: count)
        self.missing = count
    }

    func ask(_ records: [TaskLedger.Record]) {
        self.tasks.loop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in self?.finish() }
        for (index, record) in records.enumerated() {
            guard let upstream = self.tasks.upstream(record.claims.key.server) else {
                self.take(nil, at: index)
                continue
            }
            let message = JSONWriter.object { message in
                message.member("jsonrpc", "2.0")
                message.member("id", index)
                message.member("method", "tasks/get")
                message.memberObject("params") { $0.member("taskId", record.claims.key.ownID) }
            }
            let header = self.tasks.desk.header(
                of: self.request, naming: JSONText(record.claims.key.ownID), timeout: upstream.route.callTimeout,
                life: record.claims.key.life)
            let waiter = AnswerWaiter { [weak self] answer in
                guard let self, case .ended(let header, let payload) = answer else {
                    self?.take(nil, at: index)
                    return
                }
                self.take(self.entry(payload, UpstreamEnd(header)?.failure, record.claims), at: index)
            }
            _ = upstream.open(header: header, payload: message.bytes, delegate: waiter)
        }
        if records.isEmpty { self.finish() }
    }

    private func entry(_ response: ByteBuffer?, _ failure: String?, _ claims: TaskClaims) -> JSONText? {
        guard let response else { return nil }
        let text = JSONText(trusting: response)
        guard failure == nil, let state = TaskMessages.state(response) else {
            let isUnknown = text.value("error")?.int("code") == Fault.invalidParams.code
            if isUnknown || failure == Fault.unknownTask.word { self.tasks.records.forget(claims.key) }
            return nil
        }
        self.tasks.records.heard(claims, ttl: state.ttl, isOver: state.status?.isFinal == true)
        guard let name = self.tasks.names.name(of: claims) else { return nil }
        return JSONText(trusting: TaskMessages.told(response) { $0 == state.id ? name : nil }).value("result")
    }

    private func take(_ entry: JSONText?, at index: Int) {
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

    private func leave() -> Bool {
        guard !self.isOver else { return false }
        self.isOver = true
        self.tasks.pages[ObjectIdentifier(self)] = nil
        return true
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
        guard self.pages.count < WaitingRoom.maximum else {
            return request.refuse(.tooManyWaiting(WaitingRoom.maximum))
        }
        let size = min(max(self.configuration.pageSize ?? TaskPage.maximum, 1), TaskPage.maximum)
        let records = self.records.records(of: request.caller.principal, behind: last)
        let shown = Array(records.prefix(size))
        let next = records.count > size ? shown.last.flatMap { self.names.name(of: $0.claims) } : nil
        let page = TaskPage(self, request, count: shown.count, next: next)
        self.pages[ObjectIdentifier(page)] = page
        page.ask(shown)
    }

    /// Lets go, without an answer, of a list that its client does not want any more.
    func drop(_ id: RPCID, of caller: Caller) {
        for page in self.pages.values where page.request.id == id && page.request.caller === caller { page.drop() }
    }
}

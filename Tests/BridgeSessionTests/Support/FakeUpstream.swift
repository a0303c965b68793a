import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// An upstream's worker as the session worker sees it. Confined to the loop.
final class FakeUpstream {
    /// One call that arrived, and whether it was cancelled or lost since.
    final class Call: ExchangeDelegate {
        let exchange: Exchange
        let header: UpstreamCallHeader
        private(set) var failure: ExchangeFailure?
        /// What came back to its questions.
        private(set) var answers: [QuestionAnswer] = []
        private let changed: () -> Void

        init(_ exchange: Exchange, _ header: UpstreamCallHeader, changed: @escaping () -> Void) {
            self.exchange = exchange
            self.header = header
            self.changed = changed
        }

        var request: String { self.exchange.payload.map { String(buffer: $0) } ?? "" }
        var id: String {
            JSONText(trusting: self.exchange.payload ?? ByteBuffer(string: "{}")).value("id")?.description ?? ""
        }

        func send(_ kind: String, _ message: String) {
            self.exchange.send(header: JSONWriter.object { $0.member("t", kind) }, payload: ByteBuffer(string: message))
        }

        /// The server asks in the middle of it.
        func ask(_ number: Int, _ question: String) {
            self.exchange.send(header: UpstreamMessage.ask(number).text, payload: ByteBuffer(string: question))
        }

        func answer(_ reply: String) {
            self.exchange.end(header: UpstreamEnd.answered, payload: ByteBuffer(string: reply))
        }

        /// Answers with an error that the worker itself has made.
        func fail(_ word: String, code: Int = -32000) {
            let reply = #"{"jsonrpc":"2.0","id":\#(self.id),"error":{"code":\#(code),"message":"m"}}"#
            self.exchange.end(header: UpstreamEnd(failure: word).text, payload: ByteBuffer(string: reply))
        }

        /// Answers with a result under the request's own id.
        func succeed(_ result: String = "{}") {
            self.answer(#"{"jsonrpc":"2.0","id":\#(self.id),"result":\#(result)}"#)
        }

        func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {
            if let answer = QuestionAnswer(header) { self.answers.append(answer) }
            self.changed()
        }
        func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {}
        func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
            self.failure = failure
            self.changed()
        }
    }

    let name: String
    let socket: ListeningSocket
    private let loop: any EventLoop
    private let changed: () -> Void
    private var listener: LinkListener?
    private var links: [LinkConnection] = []
    private(set) var watches: [Exchange] = []
    /// Whatever arrived, over all lives of the worker.
    private(set) var calls: [Call] = []
    private(set) var levels: [String] = []
    private(set) var retries = 0
    /// How often it was told that its server asks in the middle of calls.
    private(set) var asks = 0
    /// How many exchanges want it to be connected now.
    private(set) var keeps = 0
    private(set) var proposals: [String] = []
    /// By which transport it was told that its server speaks.
    private(set) var found: [String] = []
    /// What it had to be spoken to with, because its server had refused the newest revision.
    var proposed: String?
    /// What a new watcher is told at once.
    var phase: String?
    /// What it lists, by offering.
    private(set) var lists: [Offering: [String]] = [:]
    var takesLogLevel = false
    /// What its server says it has, beside what has been published.
    var capabilities: Set<String> = ["tools"]
    var onCall: ((Call) -> Void)?

    init(name: String, socket: ListeningSocket, loop: any EventLoop, changed: @escaping () -> Void) {
        self.name = name
        self.socket = socket
        self.loop = loop
        self.changed = changed
    }

    func call(_ index: Int) -> Call? { index < self.calls.count ? self.calls[index] : nil }

    func start() -> EventLoopFuture<Void> {
        LinkListener.listen(descriptor: self.socket.lend(), on: self.loop) { [weak self] link in
            guard let self else { return }
            self.links.append(link)
            link.onOpen = { [weak self] exchange in self?.serve(exchange) }
        }.assumeIsolated().map { self.listener = $0 }.nonisolated()
    }

    /// Dies as a process does: its connections end, its socket stays with the supervisor.
    func die() {
        self.listener?.close()
        self.listener?.closeConnections()
        self.listener = nil
        self.links = []
        self.watches = []
    }

    private func serve(_ exchange: Exchange) {
        switch UpstreamRequest(exchange.header) {
        case .watch:
            self.watches.append(exchange)
            if let phase = self.phase { self.tell(phase: phase) }
            if !self.lists.isEmpty { self.tellIdentity() }
            for offering in self.lists.keys { self.tellList(of: offering) }
        case .call(let header):
            let call = Call(exchange, header, changed: self.changed)
            exchange.delegate = call
            self.calls.append(call)
            self.onCall?(call)
        case .level:
            self.levels.append(exchange.payload.flatMap { JSONText(trusting: $0).string("level") } ?? "?")
            exchange.end(header: .emptyObject)
        case .retry:
            self.retries += 1
            exchange.end(header: .emptyObject)
        case .asks:
            self.asks += 1
            exchange.end(header: .emptyObject)
        case .keep:
            self.keeps += 1
            exchange.delegate = AnswerWaiter { [weak self] _ in
                self?.keeps -= 1
                self?.changed()
            }
        case .propose(let revision, _):
            self.proposals.append(revision)
            exchange.end(header: .emptyObject)
        case .found(let transport):
            self.found.append(transport)
            exchange.end(header: .emptyObject)
        case nil:
            exchange.cancel(reason: "unknown operation")
        }
        self.changed()
    }

    func tell(phase: String) {
        self.phase = phase
        self.tell(.state, #"{"name":"\#(self.name)","phase":"\#(phase)"}"#)
    }

    /// Lists these entries.
    func publish(_ entries: [String], of offering: Offering = .tools) {
        self.lists[offering] = entries
        self.tellIdentity()
        self.tellList(of: offering)
    }

    func note(_ message: String) { self.tell(.note(for: nil), message) }

    func tellIdentity() {
        let named = self.capabilities.union(self.lists.keys.map(\.capability)).union(
            self.takesLogLevel ? ["logging"] : [])
        let capabilities = named.sorted().map { #""\#($0)":{}"# }.joined(separator: ",")
        let proposed = self.proposed.map { #","proposed":"\#($0)""# } ?? ""
        self.tell(.identity, #"{"serverInfo":{},"capabilities":{\#(capabilities)}\#(proposed)}"#)
    }

    private func tellList(of offering: Offering) {
        self.tell(.catalogue(of: offering.name), "[\((self.lists[offering] ?? []).joined(separator: ","))]")
    }

    func tell(_ news: UpstreamNews, _ payload: String) {
        for watch in self.watches { watch.send(header: news.text, payload: ByteBuffer(string: payload)) }
    }
}

import BridgeCore
import BridgeHTTPClient
import BridgeMCP
import NIOCore
import NIOHTTP1

/// One line of the client on its way to the bridge, until each request in it has its answer. On the event loop.
final class StdioPost {
    let message: StdioMessage
    /// Requests without an answer.
    private(set) var open: [StdioMessage.Request]
    /// Whether nobody but ourselves waits for its answers.
    let isOwn: Bool
    /// The session it was last sent in.
    private(set) var session: String?
    /// The session that the bridge offers for it.
    var offered: String?
    /// Whether it has been sent a second time, since the bridge did not know the session.
    var isRenewed = false
    /// Whether it has been repeated after it may have been read.
    var isRepeated = false
    /// Until when it waits for a bridge that is away; nil while that has not been met.
    var deadline: NIODeadline?
    /// What the bridge asks in the middle of it. No time counts until the client has answered.
    private var questions: Set<RPCID> = []

    private weak var relay: StdioRelay?
    private var exchange: MCPExchange?
    private var silence: Scheduled<Void>?

    init(_ message: StdioMessage, _ relay: StdioRelay, isOwn: Bool = false) {
        self.message = message
        self.isOwn = isOwn
        self.open = message.requests
        self.relay = relay
    }

    var isUnderWay: Bool { self.exchange != nil }

    /// Whether it may be sent again although it may have been read.
    var isRepeatable: Bool {
        if self.isRepeated { return false }
        if self.message.requests.isEmpty { return self.message.isRepeatable }
        // Of a batch, those that are answered would run again, too.
        return self.message.requests.allSatisfy { MethodTable.standard.onlyReads($0.method) }
    }

    func send(to destination: MCPDestination, over connections: HTTPConnections, isReading: Bool) {
        self.session = destination.session
        self.exchange = connections.exchange(
            self.message.bytes, with: destination, answers: self.message.requests.count, self)
        self.exchange?.isReading = isReading
        self.listen()
    }

    /// Back pressure.
    var isReading: Bool {
        get { self.exchange?.isReading ?? true }
        set { self.exchange?.isReading = newValue }
    }

    /// Ends it without a word.
    func drop() {
        self.silence?.cancel()
        self.exchange?.cancel()
        self.exchange = nil
        self.open = []
    }

    /// No answer is owed to this request any more.
    ///
    /// - Returns: the request, if it had none.
    func take(_ id: RPCID) -> StdioMessage.Request? {
        self.open.firstIndex { $0.id == id }.map { self.open.remove(at: $0) }
    }

    /// The client has answered a question.
    func answered(_ question: RPCID) {
        if self.questions.remove(question) != nil { self.listen() }
    }

    /// Counts silence from now on, where it counts.
    private func listen() {
        self.silence?.cancel()
        guard let relay, !self.open.isEmpty, self.questions.isEmpty, self.exchange != nil else { return }
        let isCall = self.open.contains { $0.method == "tools/call" }
        guard relay.settings.isSilenceOfCalls || !isCall else { return }
        self.silence = relay.loop.assumeIsolated().scheduleTask(in: relay.settings.silence) { [weak self] in
            guard let self else { return }
            self.relay?.fellSilent(self)
        }
    }
}

extension StdioPost: MCPExchangeDelegate {
    func received(_ head: HTTPResponseHead, of exchange: MCPExchange) {
        self.relay?.received(head, of: self)
        self.listen()
    }

    func received(_ message: JSONText, of exchange: MCPExchange) {
        if message.member("method") != nil, let id = message.value("id").flatMap({ RPCID($0) }) {
            self.questions.insert(id)
        }
        self.relay?.received(message, of: self)
        self.listen()
    }

    func ended(_ exchange: MCPExchange, _ end: MCPExchange.End) {
        self.silence?.cancel()
        self.exchange = nil
        self.relay?.ended(self, end)
    }
}

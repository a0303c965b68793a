import BridgeCore
import BridgeLink
import NIOCore

/// A session worker that does what the test says. Confined to the event loop; what it sees comes out of ``events``.
final class FakeSession {
    enum Event: Sendable, Equatable {
        case opened(header: String, payload: String)
        case failed(ExchangeFailure)
        case ended
    }

    /// Answers an exchange that was opened. The default leaves it open.
    typealias Answer = @Sendable (Exchange, _ header: JSONText, _ payload: JSONText?) -> Void

    let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    private var answer: Answer
    private var links: [LinkConnection] = []
    private(set) var exchanges: [Exchange] = []
    /// The headers of the ends.
    private(set) var ends: [JSONText] = []

    init(_ answer: @escaping Answer) {
        (self.events, self.continuation) = AsyncStream.makeStream()
        self.answer = answer
    }

    func accept(_ link: LinkConnection) {
        self.links.append(link)
        link.onOpen = { [weak self] exchange in self?.opened(exchange) }
    }

    func answerWith(_ answer: @escaping Answer) { self.answer = answer }

    /// The worker dies: its connections break.
    func die() {
        for link in self.links { link.close() }
        self.links = []
    }

    private func opened(_ exchange: Exchange) {
        exchange.delegate = Watcher(self.continuation) { [weak self] in self?.ends.append($0) }
        self.exchanges.append(exchange)
        self.continuation.yield(
            .opened(header: exchange.header.description, payload: exchange.payload.map { String(buffer: $0) } ?? "")
        )
        self.answer(exchange, exchange.header, exchange.payload.map { JSONText(trusting: $0) })
    }

    private final class Watcher: ExchangeDelegate {
        private let continuation: AsyncStream<Event>.Continuation

        private let ended: (JSONText) -> Void

        init(_ continuation: AsyncStream<Event>.Continuation, ended: @escaping (JSONText) -> Void) {
            self.continuation = continuation
            self.ended = ended
        }

        func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {}

        func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {
            self.ended(header)
            self.continuation.yield(.ended)
        }

        func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
            self.continuation.yield(.failed(failure))
        }
    }
}

extension JSONText {
    static func parse(_ text: String) -> JSONText { JSONText(trusting: ByteBuffer(string: text)) }
}

extension FakeSession {
    /// Ends with a result that holds the method, and does nothing for `hang`.
    static let echo: Answer = { exchange, header, payload in
        guard let payload, payload.string("method") != "hang" else { return }
        guard let id = payload.value("id") else { return exchange.end(header: .parse(#"{"st":202}"#)) }
        let reply = #"{"jsonrpc":"2.0","id":\#(id),"result":{"method":"\#(payload.string("method") ?? "")"}}"#
        exchange.end(header: .parse(#"{"st":200,"sid":"session-1"}"#), payload: ByteBuffer(string: reply))
    }
}

import BridgeCore
import BridgeLink
import NIOCore
import Synchronization

/// One call as the session worker sees it.
final class LiveCall: Sendable {
    enum Event: Sendable {
        case message(String, JSONText)
        case answer(JSONText)
        case failed(ExchangeFailure)
    }

    let events = EventLog<Event>()
    private let loop: any EventLoop
    private let exchange = Mutex<NIOLoopBound<Exchange>?>(nil)

    init(loop: any EventLoop) { self.loop = loop }

    /// - Parameter reads: whether messages are acknowledged as they come.
    func open(header: JSONText, payload: ByteBuffer, reads: Bool = true, through dialer: LinkDialer) {
        let listener = Listener(
            onMessage: { header, payload in
                self.events.append(
                    .message(UpstreamMessage(header).word, JSONText(trusting: payload ?? ByteBuffer())))
            },
            onOver: { result in
                switch result {
                case .success(let payload): self.events.append(.answer(payload))
                case .failure(let failure): self.events.append(.failed(failure.failure))
                }
            }
        )
        let exchange = dialer.open(header: header, payload: payload, delegate: listener)
        exchange.automaticCredit = reads
        self.exchange.withLock { $0 = NIOLoopBound(exchange, eventLoop: self.loop) }
    }

    /// Waits for the JSON-RPC response.
    func answer() async -> JSONText {
        let event = await self.events.next { if case .message = $0 { false } else { true } }
        guard case .answer(let answer) = event else { return .null }
        return answer
    }

    func error() async -> JSONText { await self.answer().value("error") ?? .null }
    func text() async -> String? {
        var text: String?
        let content = await self.answer().value("result")?.value("content")
        content?.elements { text = content?[$0].string("text") }
        return text
    }

    func message() async -> (kind: String, text: JSONText) {
        guard case .message(let kind, let text) = await self.events.next(where: { _ in true }) else {
            return ("", .null)
        }
        return (kind, text)
    }

    func cancel() async { await self.onExchange { $0.cancel(reason: "test") } }

    /// Makes up for messages that were not acknowledged as they came.
    func acknowledge(_ count: Int) async {
        await self.onExchange { exchange in
            for _ in 0..<count { exchange.acknowledge(octets: 0) }
        }
    }

    private func onExchange(_ body: @escaping @Sendable (Exchange) -> Void) async {
        let exchange = self.exchange.withLock { $0 }
        await withCheckedContinuation { continuation in
            self.loop.execute {
                if let exchange { body(exchange.value) }
                continuation.resume()
            }
        }
    }
}

struct FailedExchange: Error { let failure: ExchangeFailure }

final class Listener: ExchangeDelegate {
    private let onMessage: (JSONText, ByteBuffer?) -> Void
    private let onOver: (Result<JSONText, FailedExchange>) -> Void

    init(
        onMessage: @escaping (JSONText, ByteBuffer?) -> Void,
        onOver: @escaping (Result<JSONText, FailedExchange>) -> Void
    ) {
        self.onMessage = onMessage
        self.onOver = onOver
    }

    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {
        self.onMessage(header, payload)
    }

    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {
        self.onOver(.success(payload.map { JSONText(trusting: $0) } ?? .null))
    }

    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        self.onOver(.failure(FailedExchange(failure: failure)))
    }
}

extension UpstreamMessage? {
    /// What kind of message it is.
    fileprivate var word: String {
        switch self {
        case .progress: "progress"
        case .log: "log"
        case .ask: "ask"
        case .withdraw: "withdraw"
        case nil: ""
        }
    }
}

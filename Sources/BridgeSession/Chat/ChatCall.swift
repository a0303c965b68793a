import BridgeChat
import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore

/// One request for a model. It gets exactly one end. Confined to the event loop.
final class ChatCall {
    let id: ChatQueue.RequestID
    let ask: ChatAsk
    let entry: ModelBook.Entry
    /// How long it may take in all, for words about it: some of that is over when it comes here.
    let limit: TimeAmount?
    private let exchange: Exchange
    private let onAbandoned: (ChatCall) -> Void
    /// The neutral params, and what they are counted by. Let go of once a source has been asked.
    private(set) var params: JSONText?
    private var hold: PayloadHold?
    /// Who has been asked.
    private(set) var source: SamplingSource?

    /// - Parameter onAbandoned: called when its client, or the front with it, is gone.
    init(
        _ id: ChatQueue.RequestID, _ ask: ChatAsk, _ entry: ModelBook.Entry, _ params: JSONText, _ hold: PayloadHold?,
        limit: TimeAmount?, on exchange: Exchange, onAbandoned: @escaping (ChatCall) -> Void
    ) {
        self.id = id
        self.ask = ask
        self.entry = entry
        self.params = params
        self.hold = hold
        self.limit = limit
        self.exchange = exchange
        self.onAbandoned = onAbandoned
        exchange.delegate = self
    }

    /// A source is asked, now: the front is told first.
    func isAsked(_ source: SamplingSource) {
        self.source = source
        self.params = nil
        self.hold = nil
        self.exchange.send(header: ChatNote.asked(source: source.rule.name).text)
    }

    /// Its source says that it goes on. More of it than the front takes is not worth queueing.
    func goesOn() {
        if self.exchange.isWritable { self.exchange.send(header: ChatNote.alive.text(capacity: 32)) }
    }

    /// - Parameter result: a `CreateMessageResult`, as it was given.
    func answer(_ result: ByteBuffer, _ remarks: ChatRemarks) {
        let end = ChatEnd.answered(
            ChatSourceRemarks(
                source: self.source?.rule.name ?? "", ignored: remarks.ignored, approximated: remarks.approximated))
        self.exchange.end(header: end.text, payload: result)
    }

    func fail(_ fault: ChatFault) {
        var failure = fault.failure
        failure.source = self.source?.rule.name
        self.exchange.end(header: ChatEnd.failed(failure).text)
    }

    /// What was made of it for its source.
    var remarks = ChatRemarks()
}

extension ChatCall: ExchangeDelegate {
    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {}
    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) { self.onAbandoned(self) }
    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) { self.onAbandoned(self) }
}

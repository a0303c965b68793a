import BridgeCore
import BridgeLink
import NIOCore

/// The front's side of one request for a model.
final class ChatClient: ExchangeDelegate {
    private(set) var notes: [ChatNote] = []
    private(set) var end: ChatEnd?
    private(set) var models: ChatModels?
    private(set) var body: String?
    private(set) var failure: ExchangeFailure?
    /// How many last words there were.
    private(set) var ends = 0
    var exchange: Exchange?
    private let changed: () -> Void

    init(changed: @escaping () -> Void) { self.changed = changed }

    var isOver: Bool { self.ends > 0 }
    var fault: ChatFailure? { if case .failed(let failure) = self.end { failure } else { nil } }

    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {
        if let note = ChatNote(header) { self.notes.append(note) }
        self.changed()
    }

    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {
        self.ends += 1
        self.end = ChatEnd(header)
        self.models = ChatModels(header)
        self.body = payload.map { String(buffer: $0) }
        self.changed()
    }

    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        self.ends += 1
        self.failure = failure
        self.changed()
    }
}

import NIOCore

/// A question that may have to go out once more, counted for as long as it is kept. Confined to the event loop.
final class KeptQuestion {
    let message: ByteBuffer
    private let retention: Retention

    /// Of what questions may hold together, half: the other is for those of servers, which are not put without it.
    static let maximum = Retention.maximum / 2

    /// Nil where there is no room for it: then it goes out once.
    init?(_ message: ByteBuffer, in retention: Retention) {
        guard retention.questionOctets + message.readableBytes <= Self.maximum else { return nil }
        self.message = message
        self.retention = retention
        retention.changed(by: message.readableBytes, questions: message.readableBytes)
    }

    deinit {
        self.retention.changed(by: -self.message.readableBytes, questions: -self.message.readableBytes)
    }
}

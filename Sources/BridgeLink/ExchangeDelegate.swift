package import BridgeCore
package import NIOCore

/// Why an exchange ended without an `end`.
package enum ExchangeFailure: Equatable, Sendable {
    /// The peer abandoned it, and says why.
    case cancelled(reason: String)
    /// The connection to the peer was lost. `sent` is false only when it is certain that nothing came of the exchange there:
    /// no byte of its opening frame, or of the payload which travels apart from it, had left. The exchange then has the
    /// payload, until this has been told (``Exchange/takePayload()``).
    case linkLost(sent: Bool)
    /// There were too many exchanges already; this one never left.
    case overloaded

    /// The reason of a ``cancelled(reason:)`` by which a peer refuses an exchange unseen: it has too many.
    package static let tooMany = "overloaded"
    /// The reason of a ``cancelled(reason:)`` by which a peer refuses an exchange unseen: it has no memory for its payload.
    package static let noMemory = "no memory"

    /// The reason of a ``cancelled(reason:)`` that both sides are told when one of them was given a payload beyond
    /// ``Frame/maximumPayload``: it would have cost them the connection.
    package static let tooLarge = "too large"
}

/// Receives what happens to one exchange, on the link's event loop.
///
/// Exactly one of ``exchangeEnded(_:header:payload:)`` and ``exchangeFailed(_:_:)`` is called, once, as the last call;
/// neither is called after this side itself has ended or cancelled the exchange.
package protocol ExchangeDelegate: AnyObject {
    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?)
    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?)
    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure)
    /// The window opened again after ``Exchange/isWritable`` was false.
    func exchangeBecameWritable(_ exchange: Exchange)
}

extension ExchangeDelegate {
    package func exchangeBecameWritable(_ exchange: Exchange) {}
}

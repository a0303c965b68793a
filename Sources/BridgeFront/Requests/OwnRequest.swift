import NIOCore

/// A request that the front answers on its own path, on the event loop and without a task.
///
/// The connection calls ``begin()``, ``take(_:)`` for each piece of the body, ``complete()`` at its end, and ``settle()`` when
/// all that came in one read has been looked at.
protocol OwnRequest: ConnectionObserver {
    /// The token that was shown, if any.
    var token: TokenHolder? { get }
    /// What it was let in by, where that was a token.
    var secret: String? { get }

    func begin()
    func take(_ part: ByteBuffer)
    func complete()
    func settle()
    /// The token that was shown is good no longer.
    func tokenIsOver()
    /// What a refusal says that the connection makes in its place.
    func body(of refusal: Refusal) -> ByteBuffer
}

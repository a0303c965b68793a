package import BridgeCore
package import NIOCore
package import NIOHTTP1

/// Hears of one transfer, on its event loop. ``ended(_:body:)`` or ``failed(_:_:)`` is the last that it hears, once, and
/// neither comes when it has cancelled the transfer itself.
package protocol MCPTransferDelegate: AnyObject {
    func received(_ head: HTTPResponseHead, of transfer: MCPTransfer)
    /// Bytes of the body have come, of whatever they are a part.
    func heard(_ transfer: MCPTransfer)
    /// One event of a stream; it may lack data, or its end (``ServerSentEvent/isUnfinished``).
    func received(_ event: ServerSentEvent, of transfer: MCPTransfer)
    /// - Parameter body: the whole body, a byte order mark taken away; `nil` when it was a stream of events.
    func ended(_ transfer: MCPTransfer, body: ByteBuffer?)
    func failed(_ transfer: MCPTransfer, _ failure: HTTPFailure)
}

extension MCPTransferDelegate {
    package func heard(_ transfer: MCPTransfer) {}
}

package import NIOCore
package import NIOHTTP1

/// Hears of one transfer, on its event loop. After the head come the body's pieces; ``ended(_:)`` or
/// ``failed(_:_:)`` is the last that it hears, once, and neither comes when it has cancelled the transfer itself.
package protocol HTTPTransferDelegate: AnyObject {
    /// The answer's head, redirects aside.
    func received(_ head: HTTPResponseHead, of transfer: HTTPTransfer)
    func received(_ bytes: ByteBuffer, of transfer: HTTPTransfer)
    func ended(_ transfer: HTTPTransfer)
    /// - Parameter failure: says whether the request may have been acted upon.
    func failed(_ transfer: HTTPTransfer, _ failure: HTTPFailure)
}

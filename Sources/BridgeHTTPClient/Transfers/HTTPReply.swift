package import NIOCore
package import NIOHTTP1

/// An answer that has come whole.
package struct HTTPReply: Sendable {
    package let head: HTTPResponseHead
    package let body: ByteBuffer
    /// Where it came from in the end.
    package let address: HTTPAddress
}

/// Waits for all of an answer.
final class WholeReply: HTTPTransferDelegate {
    private let promise: EventLoopPromise<HTTPReply>
    private var head: HTTPResponseHead?
    private var body: BodyBytes

    init(maximumBody: Int, loop: any EventLoop) {
        self.promise = loop.makePromise()
        self.body = BodyBytes(limit: maximumBody)
    }

    var reply: EventLoopFuture<HTTPReply> { self.promise.futureResult }

    func received(_ head: HTTPResponseHead, of transfer: HTTPTransfer) { self.head = head }

    func received(_ bytes: ByteBuffer, of transfer: HTTPTransfer) {
        guard !self.body.append(bytes) else { return }
        transfer.cancel()
        self.promise.fail(HTTPFailure(.tooLarge(limit: self.body.limit), mayHaveRun: true))
    }

    func ended(_ transfer: HTTPTransfer) {
        guard let head = self.head else { return self.promise.fail(HTTPFailure(.closed, mayHaveRun: true)) }
        self.promise.succeed(HTTPReply(head: head, body: self.body.bytes, address: transfer.address))
    }

    func failed(_ transfer: HTTPTransfer, _ failure: HTTPFailure) { self.promise.fail(failure) }
}

/// A body that is put together from its pieces, up to a limit.
struct BodyBytes {
    /// In bytes.
    let limit: Int
    private(set) var bytes = ByteBuffer()

    init(limit: Int) { self.limit = limit }

    /// - Returns: whether it may be that long.
    mutating func append(_ piece: ByteBuffer) -> Bool {
        guard piece.readableBytes <= self.limit - self.bytes.readableBytes else { return false }
        // Nearly every body comes in one piece, which is not copied.
        if self.bytes.readableBytes == 0 { self.bytes = piece } else { self.bytes.writeImmutableBuffer(piece) }
        return true
    }
}

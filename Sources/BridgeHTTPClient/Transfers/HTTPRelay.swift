import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Hands what the library says of one request on to its transfer. A transfer that is redirected has one after the other.
final class HTTPRelay: HTTPClientResponseDelegate {
    private let transfer: NIOLoopBound<HTTPTransfer>
    private let hop: Int

    init(_ transfer: HTTPTransfer, hop: Int, loop: any EventLoop) {
        self.transfer = NIOLoopBound(transfer, eventLoop: loop)
        self.hop = hop
    }

    func didSendRequestHead(task: HTTPClient.Task<Void>, _ head: HTTPRequestHead) {
        self.transfer.value.headSent(hop: self.hop)
    }

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        self.transfer.value.received(head, hop: self.hop)
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        self.transfer.value.received(buffer, hop: self.hop)
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) {
        self.transfer.value.ended(hop: self.hop)
    }

    // An error comes by the task's future, which fails in every case; the library's own call does not come in all.
    func failed(_ error: any Error) {
        self.transfer.value.failed(error, hop: self.hop)
    }
}

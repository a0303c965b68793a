import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// A request that is under way.
protocol HTTPCourse: AnyObject {
    /// Ends it without a word. The connection is closed unless the answer was over.
    func cancel()
}

/// Hands what the library says of one request on to its transfer. A transfer that is redirected has one after the other.
final class HTTPRelay: HTTPClientResponseDelegate, HTTPCourse {
    private let transfer: NIOLoopBound<HTTPTransfer>
    private let hop: Int
    private let task: NIOLoopBoundBox<HTTPClient.Task<Void>?>

    init(_ transfer: HTTPTransfer, hop: Int, loop: any EventLoop) {
        self.transfer = NIOLoopBound(transfer, eventLoop: loop)
        self.hop = hop
        self.task = NIOLoopBoundBox(nil, eventLoop: loop)
    }

    /// - Throws: what is wrong with the request.
    func send(_ request: HTTPRequest, by client: HTTPClient, on loop: any EventLoop) throws {
        var headers = request.headers
        if request.address.isSocket { headers.replaceOrAdd(name: "Host", value: "localhost") }
        let task = client.execute(
            request: try HTTPClient.Request(
                url: request.address.url, method: request.method, headers: headers,
                body: request.body.map { .byteBuffer($0) }),
            // The library has no other loop. Asked for this one by name it would close each connection after its answer.
            delegate: self, eventLoop: .delegate(on: loop), deadline: nil)
        self.task.value = task
        task.futureResult.whenFailure { self.failed($0) }
    }

    func cancel() { self.task.value?.cancel() }

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

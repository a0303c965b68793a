import BridgeCore
package import NIOCore
package import NIOHTTP1

/// What came in answer to a message, once all of it has come.
package struct MCPAnswer: Sendable {
    package let head: HTTPResponseHead
    /// The text of a body, or the last of a stream's events that is a JSON-RPC response; `nil` when there is neither.
    package let message: ByteBuffer?
}

extension HTTPConnections {
    /// Sends a request of an ``MCPDestination`` and waits for all of its answer.
    package func answer(
        to request: HTTPRequest, maximumMessage: Int = Frame.maximumPayload
    ) -> EventLoopFuture<MCPAnswer> {
        let waiting = AnswerWaiting(loop: self.loop)
        _ = self.send(request, maximumMessage: maximumMessage, to: waiting)
        return waiting.promise.futureResult
    }
}

private final class AnswerWaiting: MCPTransferDelegate {
    let promise: EventLoopPromise<MCPAnswer>
    private var head: HTTPResponseHead?
    private var response: ByteBuffer?

    init(loop: any EventLoop) { self.promise = loop.makePromise() }

    func received(_ head: HTTPResponseHead, of transfer: MCPTransfer) { self.head = head }

    func received(_ event: ServerSentEvent, of transfer: MCPTransfer) {
        guard let data = event.data, let text = try? JSONText(validating: data),
            text.member("result") != nil || text.member("error") != nil
        else { return }
        self.response = text.bytes
    }

    func ended(_ transfer: MCPTransfer, body: ByteBuffer?) {
        guard let head = self.head else { return self.promise.fail(HTTPFailure(.closed, mayHaveRun: true)) }
        let text = body.flatMap { $0.readableBytes > 0 ? $0 : nil }
        self.promise.succeed(MCPAnswer(head: head, message: text ?? self.response))
    }

    func failed(_ transfer: MCPTransfer, _ failure: HTTPFailure) { self.promise.fail(failure) }
}

package import BridgeCore
package import NIOCore

/// What came of an exchange that asks once and is answered once.
package enum Answer {
    case ended(header: JSONText, payload: ByteBuffer?)
    case failed(ExchangeFailure)
}

/// Waits for the one answer of an exchange; messages before it are passed over.
package final class AnswerWaiter: ExchangeDelegate {
    private let done: (Answer) -> Void

    package init(_ done: @escaping (Answer) -> Void) { self.done = done }

    package func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {}

    package func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {
        self.done(.ended(header: header, payload: payload))
    }

    package func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) { self.done(.failed(failure)) }
}

extension LinkConnection {
    /// Opens an exchange and calls back with its one answer, in a later turn of the loop.
    @discardableResult
    package func ask(header: JSONText, payload: ByteBuffer? = nil, _ done: @escaping (Answer) -> Void) -> Exchange {
        self.open(header: header, payload: payload, delegate: AnswerWaiter(done))
    }
}

/// Why a single question over a link got no answer.
package enum AskError: Error, Equatable, Sendable {
    case cancelled(reason: String)
    case linkLost
    case timeout
}

extension LinkConnection {
    /// Dials, asks one question, and closes.
    ///
    /// - Returns: the answer's header and payload; fails with ``AskError``, or with the error of connecting.
    package static func askOnce(
        path: String, on loop: any EventLoop, header: JSONText, payload: ByteBuffer? = nil, timeout: TimeAmount
    ) -> EventLoopFuture<(header: JSONText, payload: ByteBuffer?)> {
        let answered = loop.makePromise(of: (header: JSONText, payload: ByteBuffer?).self)
        let timer = loop.scheduleTask(in: timeout) { answered.fail(AskError.timeout) }
        answered.futureResult.whenComplete { _ in timer.cancel() }
        loop.execute {
            Self.dial(path: path, name: "ask-\(UInt64.random(in: .min ... .max))", on: loop) { link in
                link.ask(header: header, payload: payload) { answer in
                    switch answer {
                    case .ended(let header, let payload): answered.succeed((header, payload))
                    case .failed(.cancelled(let reason)): answered.fail(AskError.cancelled(reason: reason))
                    case .failed: answered.fail(AskError.linkLost)
                    }
                }
                // Also when the time is up.
                answered.futureResult.assumeIsolated().whenComplete { _ in link.close() }
            }.whenFailure { answered.fail($0) }
        }
        return answered.futureResult
    }
}

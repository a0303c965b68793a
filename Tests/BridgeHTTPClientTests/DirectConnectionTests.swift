import NIOCore
import NIOHTTP1
import Testing

@testable import BridgeHTTPClient

/// How connections are made, given to one request after the other, and ended.
@Suite("Connections in turns", .timeLimit(.minutes(2))) struct DirectConnectionTests {
    private static var oneAtATime: HTTPConnectionSettings {
        var settings = HTTPConnectionSettings()
        settings.connectionsPerHost = 1
        return settings
    }

    @Test func `those that are being made end with everything else, and so do their requests`() async throws {
        try await OddServer.serving({ _, _ in answer() }) { server in
            let found = try await HTTPConnections.outcomeOfEndingAtOnce(try request(server))
            #expect(found.failure?.mayHaveRun == false, "direct: \(Way.isDirect)")
        }
    }

    @Test func `one that has ended before anybody had it is nobody's`() async throws {
        try await OddServer.serving({ _, _ in answer() }) { server in
            let asked = try request(server)
            let direct = try DirectRequest(asked)
            try await connected { connections in
                try await connections.loop.flatSubmit {
                    let transfer = connections.send(asked, to: Deaf())
                    let pool = DirectConnections(on: connections.loop, settings: HTTPConnectionSettings())
                    // In no pipeline, as after its end.
                    let dead = DirectConnection(pool, asked.address.origin)
                    let exchange = DirectExchange(direct, for: transfer, hop: 0)
                    pool.connected(dead, for: exchange)
                    #expect(exchange.isOver)
                    return pool.shutdown()
                }.get()
            }
        }
    }

    @Test func `a request that waits for one and is cancelled keeps nothing`() async throws {
        try await OddServer.serving({ _, _ in answer() }) { server in
            guard Way.isDirect else { return }
            let asked = try request(server)
            try await connected(Self.oneAtATime) { connections in
                let kept = try await connections.loop.submit {
                    let (first, second) = (connections.send(asked, to: Deaf()), connections.send(asked, to: Deaf()))
                    let waiting = second.course as? DirectExchange
                    let before = waiting?.request != nil
                    second.cancel()
                    first.cancel()
                    return [before, waiting?.request != nil]
                }.get()
                #expect(kept == [true, false])
            }
        }
    }

    @Test func `that a request is over is told before the next one leaves`() async throws {
        try await OddServer.serving({ _, _ in answer() }) { server in
            guard Way.isDirect else { return }
            let asked = try request(server)
            try await connected(Self.oneAtATime) { connections in
                let hasLeft = try await connections.loop.flatSubmit {
                    let ear = FirstEnd(loop: connections.loop)
                    _ = connections.send(asked, to: ear)
                    ear.next = connections.send(asked, to: Deaf())
                    return ear.promise.futureResult
                }.get()
                #expect(!hasLeft)
            }
        }
    }
}

private final class Deaf: HTTPTransferDelegate {
    func received(_ head: HTTPResponseHead, of transfer: HTTPTransfer) {}
    func received(_ bytes: ByteBuffer, of transfer: HTTPTransfer) {}
    func ended(_ transfer: HTTPTransfer) {}
    func failed(_ transfer: HTTPTransfer, _ failure: HTTPFailure) {}
}

/// Tells whether the next request has left when its own is over.
private final class FirstEnd: HTTPTransferDelegate {
    let promise: EventLoopPromise<Bool>
    var next: HTTPTransfer?

    init(loop: any EventLoop) { self.promise = loop.makePromise() }

    func received(_ head: HTTPResponseHead, of transfer: HTTPTransfer) {}
    func received(_ bytes: ByteBuffer, of transfer: HTTPTransfer) {}
    func ended(_ transfer: HTTPTransfer) { self.promise.succeed(self.next?.isSent ?? true) }
    func failed(_ transfer: HTTPTransfer, _ failure: HTTPFailure) { self.promise.fail(failure) }
}

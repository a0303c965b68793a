import BridgeCore
import BridgeHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import BridgeUpstream

@Suite("The stream of what a server says by itself", .timeLimit(.minutes(2))) struct HTTPListenerTests {
    @Test func `one that nothing has been said over, and that nobody waits for, is closed`() async throws {
        let server = try await AskedServer.open(
            answering: "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        let loop = NIOSingletons.posixEventLoopGroup.next()
        let connections = HTTPConnections(on: loop)
        let destination = MCPDestination(try #require(HTTPAddress(server.url)))
        let kept = try await loop.submit {
            let owner = ListenerOwner(destination, connections)
            let listener = HTTPListener(loop: loop, owner: owner, trial: .milliseconds(10))
            listener.begin(hasSession: true, isPromised: false)
            return NIOLoopBound((owner, listener), eventLoop: loop)
        }.get()
        _ = await server.events.next { $0 == .closed }
        #expect(server.events.all == [.asked(.GET, body: ""), .closed])
        let isOpen = try await loop.submit { kept.value.1.isOpen }.get()
        #expect(!isOpen)
        try await connections.shutdown().get()
        try await server.close()
    }
}

/// Waits for the stream to begin, however often its trial is over until then. Confined to its event loop.
private final class ListenerOwner: HTTPListenerOwner {
    private let destination: MCPDestination
    private let connections: HTTPConnections
    private var hasBegun = false

    init(_ destination: MCPDestination, _ connections: HTTPConnections) {
        self.destination = destination
        self.connections = connections
    }

    func listen(after event: String?, to listener: HTTPListener) -> MCPTransfer {
        self.connections.send(self.destination.listen(after: event), maximumMessage: 1 << 10, to: listener)
    }

    var tokenGeneration: Int? { nil }
    func listenerIsWaitedFor(_ listener: HTTPListener) -> Bool { !self.hasBegun }
    func listenerBegan(_ listener: HTTPListener, _ head: HTTPResponseHead) { self.hasBegun = true }
    func listenerSpoke(_ listener: HTTPListener) {}
    func listener(_ listener: HTTPListener, said message: JSONText) {}
    func listener(_ listener: HTTPListener, saidUnreadable bytes: ByteBuffer, reason: String) {}
    func listenerBroke(_ listener: HTTPListener, _ failure: HTTPFailure?) {}
    func listenerLostSession(_ listener: HTTPListener) {}
}

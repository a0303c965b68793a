import BridgeCore
import BridgeHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import BridgeUpstream

@Suite("Messages that are posted", .timeLimit(.minutes(2))) struct HTTPPostTests {
    @Test func `one that nobody waits for any more does not leave unless it has left`() async throws {
        let server = try await AskedServer.open(answering: "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        let loop = NIOSingletons.posixEventLoopGroup.next()
        var settings = HTTPConnectionSettings()
        settings.connectionsPerHost = 1
        let connections = HTTPConnections(on: loop, settings: settings)
        let address = try #require(HTTPAddress(server.url))
        let kept = try await loop.submit {
            let owner = PostOwner(connections)
            // A connection is being made for the first, which the others wait for.
            let posts = ["one", "two", "three"].map { owner.send($0, to: MCPDestination(address)) }
            posts[0].forget()
            posts[1].forget()
            #expect(owner.over == 2)
            return NIOLoopBound((owner, posts), eventLoop: loop)
        }.get()
        _ = await server.events.next { $0 == .asked(.POST, body: "three") }
        #expect(server.events.all == [.asked(.POST, body: "three")])
        try await connections.shutdown().get()
        try await server.close()
        withExtendedLifetime(kept) {}
    }
}

/// Counts what is over. Confined to its event loop.
private final class PostOwner: HTTPPostOwner {
    private let connections: HTTPConnections
    private(set) var over = 0

    init(_ connections: HTTPConnections) { self.connections = connections }

    func send(_ body: String, to destination: MCPDestination) -> HTTPPost {
        let post = HTTPPost(
            ByteBuffer(string: body), request: 1, method: nil, kind: .request, onlyReads: false, era: 0, hold: nil,
            loop: self.connections.loop, owner: self)
        post.send(to: destination, inSession: 1)
        return post
    }

    func transfer(_ request: HTTPRequest, to post: HTTPPost) -> MCPTransfer {
        self.connections.send(request, maximumMessage: 1 << 10, to: post)
    }

    func postBegan(_ post: HTTPPost, _ head: HTTPResponseHead) {}
    func postSpoke(_ post: HTTPPost) {}
    func post(_ post: HTTPPost, said message: JSONText, event: String?) {}
    func post(_ post: HTTPPost, saidUnreadable bytes: ByteBuffer, reason: String, isWhole: Bool) {}
    func post(_ post: HTTPPost, refusedWith head: HTTPResponseHead, _ body: ByteBuffer?) {}
    func post(_ post: HTTPPost, failedWith failure: HTTPFailure) {}
    func post(_ post: HTTPPost, ended ending: HTTPPost.Ending, reason: String) {}
    func postOver(_ post: HTTPPost) { self.over += 1 }
}

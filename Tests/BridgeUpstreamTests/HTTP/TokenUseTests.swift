import BridgeConfiguration
import BridgeCore
import BridgeHTTPClient
import BridgeOAuth
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOPosix
import Testing

@testable import BridgeUpstream

@Suite("What connections do with tokens") struct TokenUseTests {
    private static let target = RemoteTarget(url: Secret("http://127.0.0.1:9/mcp"))
    private static var logger: Logger { Logger(label: "tokens") { _ in SwiftLogNoOpLogHandler() } }
    private let loop = NIOSingletons.posixEventLoopGroup.next()

    @Test func `another token of the same generation is sent, and hidden`() async throws {
        try await self.loop.submit { [loop] in
            let tokens = OneToken("Bearer first-token")
            let carrier = HTTPCarrier(
                Self.target, tokens: tokens, memory: AddressMemory(), maximumMessage: 1 << 10, loop: loop,
                logger: Self.logger)
            try carrier.open()
            #expect(carrier.endpoint()?.headers["Authorization"] == ["Bearer first-token"])
            tokens.value = "Bearer second-token"
            #expect(carrier.endpoint()?.headers["Authorization"] == ["Bearer second-token"])
            #expect(carrier.words.masked("it is second-token") == "it is ***")
            carrier.shutDown {}
        }.get()
    }

    @Test func `the last token is hidden, whatever is configured anew`() async throws {
        try await self.loop.submit { [loop] in
            let tokens = OneToken("Bearer first-token")
            let carrier = HTTPCarrier(
                Self.target, tokens: tokens, memory: AddressMemory(), maximumMessage: 1 << 10, loop: loop,
                logger: Self.logger)
            try carrier.open()
            _ = carrier.endpoint()
            tokens.value = "Bearer second-token"
            _ = carrier.endpoint()
            #expect(carrier.words.masked("second-token") == "***")
            var target = Self.target
            target.headers["X-Key"] = Secret("another-key")
            carrier.adopt(.http(target))
            _ = carrier.endpoint()
            #expect(carrier.words.masked("second-token") == "***")
            carrier.shutDown {}
        }.get()
    }

    @Test func `what is said of the server's stream is said of the token that it was asked for with`() async throws {
        try await self.loop.submit { [loop] in
            let tokens = OneToken("Bearer newer")
            let connection = StreamableHTTP(
                Self.target, tokens: tokens, memory: AddressMemory(), maximumMessage: 1 << 10, loop: loop,
                logger: Self.logger)
            connection.listener.generation = 1
            for status in [HTTPResponseStatus.unauthorized, .ok, .methodNotAllowed] {
                connection.listenerBegan(connection.listener, HTTPResponseHead(version: .http1_1, status: status))
            }
            #expect(tokens.told == ["refused 1", "accepted 1"])
        }.get()
    }

    @Test func `where no token comes for what waits for one, there is room for more, and that is told`() {
        let loop = EmbeddedEventLoop()
        let tokens = OneToken("")
        tokens.isAwaited = true
        let connection = StreamableHTTP(
            Self.target, tokens: tokens, memory: AddressMemory(), maximumMessage: 1 << 10, loop: loop,
            logger: Self.logger)
        let ear = Ear()
        connection.delegate = ear
        connection.state = .open
        _ = connection.session.send(isRequest: true) { "initialize" }
        connection.session.greeted(id: nil, revision: nil)
        _ = connection.session.send(isRequest: false) { "notifications/initialized" }
        _ = connection.session.confirmed()
        let call = JSONText(literal: #"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#)
        for request in 1...StreamableHTTP.mostPosts { connection.send(call, request: request) }
        #expect(!connection.isWritable)
        loop.advanceTime(by: HTTPCarrier.tokenTime)
        #expect(ear.lost.count == StreamableHTTP.mostPosts && !ear.lost.values.contains(true))
        #expect(connection.isWritable && ear.hasRoom)
    }

    @Test func `a call is not sent again that somebody has been asked for, and others go on`() {
        let connection = StreamableHTTP(
            Self.target, tokens: OneToken("Bearer newer"), memory: AddressMemory(), maximumMessage: 1 << 10,
            loop: EmbeddedEventLoop(),
            logger: Self.logger)
        let ear = Ear()
        connection.delegate = ear
        connection.state = .open
        let post = HTTPPost(
            ByteBuffer(string: "{}"), request: 7, method: "tools/call", kind: .request, onlyReads: false, era: 0,
            hold: nil, loop: connection.loop, owner: connection)
        connection.requests[7] = post
        post.hasAsked()
        connection.unauthorized(post, HTTPResponseHead(version: .http1_1, status: .unauthorized), nil)
        connection.settle()
        #expect(ear.lost == [7: false] && ear.losses.isEmpty && connection.isOpen)
    }

    @Test func `an answer over a stream of HTTP+SSE shows that its token is taken`() async throws {
        try await self.loop.submit { [loop] in
            let tokens = OneToken("Bearer newer")
            let connection = EventStreamHTTP(
                Self.target, tokens: tokens, memory: AddressMemory(), maximumMessage: 1 << 10, loop: loop,
                logger: Self.logger)
            connection.state = .open
            let post = HTTPPost(
                ByteBuffer(string: "{}"), request: 7, method: nil, kind: .request, onlyReads: false, era: 0, hold: nil,
                loop: loop, owner: connection)
            post.generation = 3
            connection.requests[7] = post
            connection.take(JSONText(literal: #"{"jsonrpc":"2.0","id":7,"result":{}}"#), from: nil)
            #expect(tokens.told == ["accepted 3"])
        }.get()
    }
}

private final class OneToken: TokenSource {
    var value: String
    /// Whether another one is under way.
    var isAwaited = false
    private(set) var told: [String] = []

    init(_ value: String) { self.value = value }

    var credential: BearerCredential { self.isAwaited ? .wait : .bearer(self.value, generation: 2) }
    var hindrance: String { "" }
    func whenSettled(_ body: @escaping () -> Void) {}

    func refused(generation: Int?, _ challenge: BearerChallenge?) -> TokenKeeper.Refusal {
        self.told.append("refused \(generation ?? -1)")
        return .wait
    }

    func accepted(generation: Int?) { self.told.append("accepted \(generation ?? -1)") }
    func lacked(_ challenge: BearerChallenge, operation: String) -> String { "" }
    func wondered() -> String? { nil }
}

/// Remembers which requests of a connection were lost and whether they had been sent, and that it takes more again.
private final class Ear: ConnectionDelegate {
    private(set) var lost: [Int: Bool] = [:]
    private(set) var hasRoom = false
    private(set) var losses: [String] = []

    func connectionOpened(_ connection: any Connection) {}
    func connectionSpoke(_ connection: any Connection) {}
    func connection(_ connection: any Connection, received message: JSONText, answering request: Int?) {}
    func connection(_ connection: any Connection, couldNotRead what: Unreadable, answering request: Int?) {}
    func connectionBecameWritable(_ connection: any Connection) { self.hasRoom = true }
    func connection(_ connection: any Connection, lost request: Int, _ loss: RequestLoss) {
        self.lost[request] = loss.sent
    }
    func connection(_ connection: any Connection, mayHold request: Int, for time: TimeAmount) -> Bool { true }
    func connectionLost(_ connection: any Connection, reason: String, retryAfter: Int?) { self.losses.append(reason) }
    func connectionLostSession(_ connection: any Connection, refusesRevision: Bool) {}
    func connectionNeedsSignIn(_ connection: any Connection, reason: String) { self.losses.append(reason) }
    func connectionEnded(_ connection: any Connection) {}
}

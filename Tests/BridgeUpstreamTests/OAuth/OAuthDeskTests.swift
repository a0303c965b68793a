import BridgeConfiguration
import BridgeCore
import BridgeOAuth
import Foundation
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import BridgeUpstream

@Suite("An upstream's tokens at work") struct OAuthDeskTests {
    @Test(arguments: [false, true])
    func `a refresh that its desk does not outlive is finished and kept, and the lock is let go`(hasChange: Bool)
        async throws
    {
        let place = try await DeskPlace.open()
        let request = await place.asked.next { _ in true }
        let closed = EventLog<Void>()
        await place.onLoop { place in
            // It waits until the refresh is over.
            if hasChange { place.desk?.change(.offlineRefused) { _ in } }
            place.desk?.end()
            place.desk?.whenClosed(within: .minutes(5)) { closed.append(()) }
        }
        #expect(try place.files.holder() != nil && closed.all.isEmpty)
        try await DeskPlace.answer(request)
        await closed.next { true }
        let record = try #require(try place.files.read().record)
        #expect(
            record.generation == 2 && record.tokens?.refresh == Secret("rt-2") && record.refusesOffline == hasChange)
        #expect(try place.files.holder() == nil && place.files.read().intent == nil)
        place.close()
    }

    @Test func `a desk that is at nothing is closed at once, and one that waits in vain is not waited for`()
        async throws
    {
        let place = try await DeskPlace.open(isRefreshing: false)
        let closed = EventLog<String>()
        await place.onLoop { place in
            place.desk?.end()
            place.desk?.whenClosed(within: .minutes(5)) { closed.append("closed") }
        }
        #expect(await closed.next { _ in true } == "closed")
        place.close()
        let other = try await DeskPlace.open()
        _ = await other.asked.next { _ in true }
        await other.onLoop { other in
            other.desk?.end()
            other.desk?.whenClosed(within: .milliseconds(1)) { closed.append("given up") }
        }
        #expect(await closed.next { _ in true } == "given up")
        other.close()
    }

    @Test func `another token of the same generation is another header`() async throws {
        let place = try await DeskPlace.open(isRefreshing: false)
        await place.onLoop { place in
            var record = OAuthRecord(upstream: "s", server: "https://mcp.example/mcp")
            record.generation = 7
            record.tokens = DeskPlace.tokens("one", of: "https://as.example", expires: nil)
            place.desk?.keeper = TokenKeeper(record, settings: place.settings, now: .now, draw: 0)
            #expect(place.desk?.credential == .bearer("Bearer one", generation: 7))
            record.tokens = DeskPlace.tokens("two", of: "https://as.example", expires: nil)
            place.desk?.keeper?.take(record, now: .now, draw: 0)
            #expect(place.desk?.credential == .bearer("Bearer two", generation: 7))
            place.desk?.end()
        }
        place.close()
    }

    @Test func `a token is given until its end by either clock, and no longer once it is refused`() async throws {
        let place = try await DeskPlace.open(isRefreshing: false)
        await place.onLoop { place in
            let start = Moment(wall: 1_000, steady: 50)
            var record = OAuthRecord(upstream: "s", server: "https://mcp.example/mcp")
            record.generation = 7
            record.tokens = DeskPlace.tokens("one", of: "https://as.example", expires: 1_060)
            let keeper = TokenKeeper(record, settings: place.settings, now: start, draw: 0)
            place.desk?.keeper = keeper
            for (wall, steady, isGood) in [
                (1_000.0, 50.0, true), (1_059.9, 109.9, true), (1_060, 51, false), (1_001, 110, false),
                (1_001, 51, true),
            ] {
                place.time = Moment(wall: wall, steady: steady)
                let expected = isGood ? BearerCredential.bearer("Bearer one", generation: 7) : .wait
                #expect(place.desk?.credential == expected && place.desk?.credential == expected)
            }
            _ = place.desk?.keeper?.refused(generation: 7, start)
            #expect(place.desk?.credential == .wait && place.desk?.isDoubted == true)
            place.desk?.keeper = keeper
            #expect(place.desk?.credential == .bearer("Bearer one", generation: 7) && place.desk?.isDoubted == false)
            place.desk?.end()
        }
        place.close()
    }

    @Test func `who believes anybody on this machine believes nobody elsewhere`() {
        var target = RemoteTarget(url: Secret("https://127.0.0.1:1/mcp"))
        target.trustsAnybody = true
        for here in ["https://127.0.0.1:2/token", "https://localhost/token", "https://[::1]:9/"] {
            #expect(target.reaching(here).trustsAnybody)
        }
        for elsewhere in [
            "https://as.example/token", "https://127.0.0.1.evil.example/", "https://10.0.0.1/", "nothing",
        ] {
            #expect(!target.reaching(elsewhere).trustsAnybody)
        }
        target.trustsAnybody = false
        #expect(!target.reaching("https://127.0.0.1:2/token").trustsAnybody)
    }
}

/// A desk whose state is on the disk, and the token endpoint that it asks. Confined to its loop, what waits aside.
private final class DeskPlace: @unchecked Sendable {
    let asked: EventLog<any Channel>
    let files: OAuthFiles
    let settings: OAuthSettings
    private(set) var desk: OAuthDesk?
    /// What its clock says; nil: the time there is.
    var time: Moment?
    private let loop = NIOSingletons.posixEventLoopGroup.next()
    private let listener: any Channel
    private let origin: String

    /// - Parameter isRefreshing: whether a process before it was in the middle of a refresh, so that it begins with one.
    static func open(isRefreshing: Bool = true) async throws -> DeskPlace {
        let place = try await DeskPlace()
        try place.signIn(expires: isRefreshing ? 2 : nil)
        if isRefreshing { try place.files.write(RefreshIntent(generation: 1, began: 1)) }
        await place.onLoop { $0.begin() }
        return place
    }

    private init() async throws {
        let asked = EventLog<any Channel>()
        let listener = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Asked(asked))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let folder = FileManager.default.temporaryDirectory.path + "/desk-\(UUID().uuidString)/oauth"
        let origin = "http://127.0.0.1:\(listener.localAddress?.port ?? 0)"
        self.asked = asked
        self.listener = listener
        self.origin = origin
        self.settings = OAuthSettings(folder: folder)
        self.files = OAuthFiles(
            folder: folder, upstream: "s", server: "\(origin)/mcp", seal: try StateSeal(base64Key: nil))
    }

    private func signIn(expires: Double?) throws {
        let text = #"{"issuer":"\#(self.origin)","token_endpoint":"\#(self.origin)/token"}"#
        let metadata = try ServerMetadata(JSONText(validating: ByteBuffer(string: text)))
        let found = Discovered(resource: "\(self.origin)/mcp", metadata: metadata)
        let client = ClientRegistration(.registered, issuer: self.origin, id: "c", redirects: ["r"], registered: 1)
        _ = try self.files.change(.beginning(found, client, nil, isNew: false), now: 1)
        let tokens = Self.tokens("at-1", of: self.origin, expires: expires)
        _ = try self.files.change(
            .signedIn(tokens, ClientAuthentication(method: .none), attempt: nil, sendsNoResource: false), now: 1)
    }

    static func tokens(_ access: String, of issuer: String, expires: Double?) -> TokenSet {
        TokenSet(
            access: Secret(access), refresh: Secret("rt-1"), issuer: issuer, clientID: "c", asked: nil, granted: nil,
            resource: nil, issued: 1, expires: expires)
    }

    private func begin() {
        let target = RemoteTarget(url: Secret("\(self.origin)/mcp"))
        let configuration = UpstreamConfiguration(name: "s", transport: .http(target), version: "1")
        guard let seal = try? StateSeal(base64Key: nil) else { return }
        let desk = OAuthDesk(
            self.settings, configuration, target, seal: seal, loop: self.loop,
            logger: Logger(label: "desk") { _ in SwiftLogNoOpLogHandler() },
            now: { [weak self] in self?.time ?? .now })
        self.desk = desk
        desk.start()
    }

    func onLoop(_ body: @escaping @Sendable (DeskPlace) -> Void) async {
        await withCheckedContinuation { continuation in
            self.loop.execute {
                body(self)
                continuation.resume()
            }
        }
    }

    static func answer(_ channel: any Channel) async throws {
        let body = #"{"access_token":"at-2","token_type":"Bearer","expires_in":3600,"refresh_token":"rt-2"}"#
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        try await channel.writeAndFlush(ByteBuffer(string: head + body)).get()
    }

    func close() {
        self.files.shutDown()
        self.listener.close(promise: nil)
    }

    /// Tells of the first that comes over a connection, and answers nothing.
    private final class Asked: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let asked: EventLog<any Channel>
        private var isFirst = true

        init(_ asked: EventLog<any Channel>) { self.asked = asked }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if self.isFirst { self.asked.append(context.channel) }
            self.isFirst = false
        }
    }
}

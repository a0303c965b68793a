import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Glibc
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import BridgeUpstream

/// A lane whose server is played by the test, over a connection that has no process.
@Suite("Lane") struct LaneTests {
    private static let toys = Offering(
        name: "toys", listMethod: "toys/list", identity: "name", changed: "notifications/toys/list_changed",
        capability: "toys", isRenamed: true
    )

    @Test func `a made-up offering is listed, told, and listed again when it has changed`() async throws {
        let stage = await Stage.open(offerings: [.tools, Self.toys])
        let hello = await stage.next("initialize")
        #expect(await stage.status?.phase == .connecting)
        await stage.answer(
            hello, #"{"protocolVersion":"2025-06-18","capabilities":{"toys":{}},"serverInfo":{"name":"s"}}"#)
        _ = await stage.next("notifications/initialized")
        #expect(await stage.status?.isConnected == true)
        await stage.answer(await stage.next("tools/list"), #"{"tools":[]}"#)
        await stage.answer(await stage.next("toys/list"), #"{"toys":[{"name":"car"}]}"#)
        _ = await stage.told { $0.contains("car") }
        #expect(
            stage.news.all == [
                #"{"capabilities":{"toys":{}},"serverInfo":{"name":"s"},"protocolVersion":"2025-06-18"}"#,
                "tools []", #"toys [{"name":"car"}]"#,
            ])
        #expect(await stage.status?.notes == [])
        #expect(await stage.status?.phase == .ready)
        await stage.say(#"{"jsonrpc":"2.0","method":"notifications/toys/list_changed"}"#)
        await stage.answer(await stage.next("toys/list"), #"{"toys":[{"name":"bus"}]}"#)
        _ = await stage.told { $0.contains("bus") }
        await stage.say(#"{"jsonrpc":"2.0","method":"notifications/toys/broken"}"#)
        #expect(await stage.told { $0.contains("broken") } != "")
    }

    @Test func `a connection without a process is a connection`() async throws {
        let stage = await Stage.open()
        await stage.answer(await stage.next("initialize"), #"{"protocolVersion":"2025-06-18","capabilities":{}}"#)
        _ = await stage.next("notifications/initialized")
        await stage.refuse(await stage.next("tools/list"), #"{"code":-32601,"message":"Method not found"}"#)
        _ = await stage.told { $0 == "tools []" }
        let status = try #require(await stage.status)
        #expect(status.phase == .ready && status.isConnected && status.pid == nil)
        #expect(status.notes == ["it announces no tools, and has none"] && status.lastError == nil)
    }

    @Test func `a list that ends badly is used, noted, and tried again`() async throws {
        let stage = await Stage.open()
        await stage.answer(
            await stage.next("initialize"), #"{"protocolVersion":"2025-06-18","capabilities":{"tools":{}}}"#)
        let tool = { @Sendable (name: String) in #"{"name":"\#(name)","inputSchema":{"type":"object"}}"# }
        await stage.answer(await stage.next("tools/list"), #"{"tools":[\#(tool("a"))],"nextCursor":"2"}"#)
        await stage.refuse(await stage.next("tools/list"), #"{"code":-32603,"message":"no page today"}"#)
        _ = await stage.told { $0 == "tools [\(tool("a"))]" }
        let status = try #require(await stage.status)
        #expect(status.phase == .ready && status.toolCount == 1 && status.lastError == nil)
        #expect(status.notes.count == 1 && status.notes.first?.contains("no page today") == true)
        await stage.say(#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#)
        await stage.answer(await stage.next("tools/list"), #"{"tools":[\#(tool("b"))]}"#)
        _ = await stage.told { $0 == "tools [\(tool("b"))]" }
        #expect(await stage.status?.notes == [])
    }

    @Test func `a refused revision is followed by older ones over the same connection, and what was taken is told`()
        async throws
    {
        let stage = await Stage.open()
        let refusal = #"{"code":-32602,"message":"Unsupported protocol version"}"#
        for revision in ["2025-11-25", "2025-06-18"] {
            let hello = await stage.next("initialize")
            #expect(hello.contains(revision))
            await stage.refuse(hello, refusal)
        }
        let hello = await stage.next("initialize")
        #expect(hello.contains("2025-03-26"))
        await stage.answer(hello, #"{"protocolVersion":"2025-03-26","capabilities":{}}"#)
        let news = await stage.told { $0.contains("protocolVersion") }
        #expect(news.contains(#""protocolVersion":"2025-03-26","proposed":"2025-03-26""#))
        #expect(stage.ends.all.isEmpty, "one connection")
    }

    @Test func `what is proposed may be told before the server is greeted`() async throws {
        let stage = await Stage.open(holdingGreeting: true)
        await stage.onLoop { stage in
            #expect(stage.sent.all.isEmpty)
            stage.lane?.propose(.v2024_11_05, for: .hours(1))
            stage.lane?.holdsGreeting = false
        }
        #expect(await stage.next("initialize").contains("2024-11-05"))
        #expect(stage.sent.all.filter { $0.contains("initialize") }.count <= 1)
    }

    @Test func `a request of its own that is lost alone fails as if it had been refused`() async throws {
        let stage = await Stage.open()
        let hello = await stage.next("initialize")
        await stage.onLoop { stage in
            let id = JSONText(trusting: ByteBuffer(string: hello)).int("id") ?? 0
            stage.connection.delegate?.connection(
                stage.connection, lost: id, RequestLoss(reason: "gone", sent: true))
        }
        #expect(await stage.status?.lastError == "initialize failed: gone")
        #expect(await stage.ends.next { _ in true } == .promptly)
    }

    @Test func `other settings of OAuth are another source of tokens, which wants another connection`() async throws {
        let stage = await Stage.open()
        await stage.answer(await stage.next("initialize"), #"{"protocolVersion":"2025-06-18","capabilities":{}}"#)
        _ = await stage.next("notifications/initialized")
        await stage.onLoop { stage in
            var changed = UpstreamConfiguration(
                name: "x", transport: .stdio(StdioLaunch(command: "true")), version: "1")
            changed.oauth = OAuthSettings(folder: "/nowhere")
            stage.lane?.reconfigure(changed)
            stage.lane?.reconfigure(changed)
        }
        _ = await stage.ends.next { _ in true }
        #expect(stage.news.all.contains("replaced"))
    }

    @Test func `a lost connection is ended, and a stopped lane is over when nothing of it is left`() async throws {
        let stage = await Stage.open()
        _ = await stage.next("initialize")
        await stage.onLoop { $0.connection.delegate?.connectionLost($0.connection, reason: "tripped") }
        #expect(await stage.ends.next { _ in true } == .promptly)
        let status = try #require(await stage.status)
        #expect(status.phase == .backoff && status.lastError == "tripped")
        await stage.onLoop { $0.lane?.stop(within: .seconds(10)) }
        #expect(await stage.status?.phase == .stopped)
        #expect(stage.finished.all.isEmpty)
        await stage.onLoop { $0.connection.delegate?.connectionEnded($0.connection) }
        _ = await stage.finished.next { true }
    }
}

/// What a lane sees and is seen by. Confined to its loop, the logs aside.
final class Stage: @unchecked Sendable {
    let sent = EventLog<String>()
    let news = EventLog<String>()
    let ends = EventLog<EndManner>()
    let finished = EventLog<Void>()
    private let loop = NIOSingletons.posixEventLoopGroup.next()
    private(set) var lane: Lane?
    private(set) var connection = FakeConnection()

    static func open(offerings: [Offering] = Offering.served, holdingGreeting: Bool = false) async -> Stage {
        let stage = Stage()
        await stage.onLoop { $0.begin(offerings, holdingGreeting) }
        return stage
    }

    private func begin(_ offerings: [Offering], _ holdsGreeting: Bool) {
        self.connection.onSend = { [sent] in sent.append($0) }
        self.connection.onEnd = { [ends] in ends.append($0) }
        let configuration = UpstreamConfiguration(
            name: "x", transport: .stdio(StdioLaunch(command: "true")), version: "1")
        let lane = Lane(
            configuration, offerings: offerings, loop: self.loop,
            logger: Logger(label: "lane") { _ in
                SwiftLogNoOpLogHandler()
            },
            delegate: self, news: self
        ) { [unowned self] _ in self.connection }
        self.lane = lane
        lane.holdsGreeting = holdsGreeting
        lane.start()
        self.connection.delegate?.connectionOpened(self.connection)
    }

    func onLoop(_ body: @escaping @Sendable (Stage) -> Void) async {
        await withCheckedContinuation { continuation in
            self.loop.execute {
                body(self)
                continuation.resume()
            }
        }
    }

    var status: UpstreamStatus? {
        get async {
            await withCheckedContinuation { continuation in
                self.loop.execute { continuation.resume(returning: self.lane?.status) }
            }
        }
    }

    /// The next message to the server with this method.
    func next(_ method: String) async -> String { await self.sent.next { $0.contains("\"method\":\"\(method)\"") } }

    func told(where predicate: @escaping @Sendable (String) -> Bool) async -> String {
        await self.news.next(where: predicate)
    }

    func answer(_ request: String, _ result: String) async {
        let id = JSONText(trusting: ByteBuffer(string: request)).int("id") ?? 0
        await self.say(#"{"jsonrpc":"2.0","id":\#(id),"result":\#(result)}"#)
    }

    func refuse(_ request: String, _ error: String) async {
        let id = JSONText(trusting: ByteBuffer(string: request)).int("id") ?? 0
        await self.say(#"{"jsonrpc":"2.0","id":\#(id),"error":\#(error)}"#)
    }

    func say(_ message: String) async {
        await self.onLoop { stage in
            let text = JSONText(trusting: ByteBuffer(string: message))
            stage.connection.delegate?.connection(stage.connection, received: text, answering: nil)
        }
    }
}

extension Stage: LaneDelegate, LaneNews {
    func laneChanged(_ lane: Lane) {}
    func laneFinished(_ lane: Lane) { self.finished.append(()) }
    func connected(to identity: UpstreamIdentity) { self.news.append("\(identity.news)") }
    func listed(_ listing: Listing) { self.news.append("\(listing.offering) \(String(buffer: listing.entries))") }
    func replaced() { self.news.append("replaced") }
    func noted(_ notification: JSONText) { self.news.append("\(notification)") }
    func noted(_ notification: JSONText, ofTaskIn life: Int) { self.news.append("task \(life) \(notification)") }
}

final class FakeConnection: Connection {
    weak var delegate: (any ConnectionDelegate)?
    var pid: pid_t? { nil }
    var notes: [String] { [] }
    var isReading = true
    var isWritable = true
    /// Whether it takes what the bridge says for itself all the same.
    var hasOwnRoom = false
    var takesOwnWords: Bool { self.isWritable || self.hasOwnRoom }
    var onSend: (String) -> Void = { _ in }
    var onEnd: (EndManner) -> Void = { _ in }

    func start() {}
    func flush() {}
    func end(_ manner: EndManner) { self.onEnd(manner) }

    func send(_ message: JSONText, replacing edits: [(JSONSpan, ByteBuffer)], request: Int?, hold: PayloadHold?) {
        var buffer = ByteBuffer()
        message.write(to: &buffer, replacing: edits)
        self.onSend(String(buffer: buffer))
    }
}

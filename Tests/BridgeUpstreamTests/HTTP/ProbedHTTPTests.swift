import BridgeConfiguration
import BridgeCore
import BridgeLink
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import BridgeUpstream

@Suite("Servers of which nobody says how they are spoken to") struct ProbedHTTPTests {
    enum Sign: Sendable { case spoke, greeted, lost, signIn }

    private static let url = "http://127.0.0.1:9/mcp"
    private static let target = RemoteTarget(url: Secret(Self.url))
    private static let greeting = JSONText(literal: #"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#)
    private let loop = NIOSingletons.posixEventLoopGroup.next()

    @Test(
        arguments: [
            ([], false), ([.spoke], false), ([.spoke, .lost], false), ([.lost], true), ([.spoke, .signIn], true),
            ([.spoke, .greeted, .lost], true),
        ] as [([Sign], Bool)])
    func `what was found is found anew of who is there and does not greet`(signs: [Sign], isKept: Bool) async throws {
        try await self.loop.submit { [loop] in
            let memory = AddressMemory()
            memory.remember(.sse, of: Self.url)
            let remote = FakeRemote()
            let probed = ProbedHTTP(Self.target, memory: memory, loop: loop) { _ in remote }
            probed.send(Self.greeting, request: 1)
            for sign in signs {
                switch sign {
                case .spoke: probed.connectionSpoke(remote)
                case .greeted: probed.connection(remote, received: JSONText(literal: "{}"), answering: 1)
                case .lost: probed.connectionLost(remote, reason: "lost")
                case .signIn: probed.connectionNeedsSignIn(remote, reason: "401")
                }
            }
            probed.end(.now)
            #expect((memory.dialect(of: Self.url) == .sse) == isKept)
        }.get()
    }

    @Test func `what is configured while nobody is spoken to counts, whichever way it is`() async throws {
        try await self.loop.submit { [loop] in
            var remotes: [FakeRemote] = []
            let probed = ProbedHTTP(Self.target, memory: AddressMemory(), loop: loop) { _ in
                remotes.append(FakeRemote())
                return remotes[remotes.count - 1]
            }
            probed.adopt(UpstreamConfiguration(name: "new", transport: .http(Self.target), version: "1"))
            probed.send(Self.greeting, request: 1)
            let isOther = remotes.first?.onForeign?("405")
            #expect(isOther == true)
            #expect(remotes.map(\.told) == [["new", "start", "end"], ["new", "start"]])
            probed.end(.now)
        }.get()
    }
}

/// Tells what it is told, in its order.
private final class FakeRemote: RemoteConnection {
    weak var delegate: (any ConnectionDelegate)?
    var onForeign: ((_ reason: String) -> Bool)?
    var pid: pid_t? { nil }
    var notes: [String] { [] }
    var isReading = true
    var isWritable = true
    private(set) var told: [String] = []

    func start() { self.told.append("start") }
    func adopt(_ configuration: UpstreamConfiguration) { self.told.append(configuration.name) }
    func flush() {}
    func end(_ manner: EndManner) { self.told.append("end") }
    func send(_ message: JSONText, replacing edits: [(JSONSpan, ByteBuffer)], request: Int?, hold: PayloadHold?) {}
}

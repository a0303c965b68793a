import BridgeConfiguration
import BridgeHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import BridgeUpstream

@Suite("What requests to a server carry") struct HTTPCarrierTests {
    private let loop = NIOSingletons.posixEventLoopGroup.next()

    @Test(arguments: [false, true])
    func `new headers are sent, and the former ones are hidden as well`(isOpen: Bool) async throws {
        try await self.loop.submit { [loop] in
            var target = RemoteTarget(url: Secret("http://127.0.0.1:9/mcp"), headers: ["X-Key": Secret("first-key")])
            let carrier = HTTPCarrier(
                target, tokens: nil, memory: AddressMemory(), maximumMessage: 1 << 10, loop: loop,
                logger: Logger(label: "carrier") { _ in SwiftLogNoOpLogHandler() })
            if isOpen { try carrier.open() }
            for key in ["second-key", "third-key", "third-key"] {
                target.headers["X-Key"] = Secret(key)
                carrier.adopt(.http(target))
            }
            if !isOpen { try carrier.open() }
            #expect(carrier.endpoint()?.headers["X-Key"] == ["third-key"])
            #expect(carrier.words.masked("second-key, third-key") == "***, ***")
            carrier.shutDown {}
        }.get()
    }

    @Test(arguments: RemoteTarget.Dialect.allCases, [false, true])
    func `where requests are redirected to is known to later connections, until nobody is there`(
        dialect: RemoteTarget.Dialect, isThere: Bool
    ) async throws {
        try await self.loop.submit { [loop] in
            let memory = AddressMemory()
            func carrier(_ url: String = "http://127.0.0.1:9/mcp") throws -> HTTPCarrier {
                let carrier = HTTPCarrier(
                    RemoteTarget(url: Secret(url)), tokens: nil, dialect: dialect, memory: memory,
                    maximumMessage: 1 << 10, loop: loop, logger: Logger(label: "c") { _ in SwiftLogNoOpLogHandler() })
                try carrier.open()
                return carrier
            }
            let moved = HTTPAddress("http://127.0.0.1:9/mcp/")
            let first = try carrier()
            first.remember(moved)
            first.lost(isThere ? .signInNeeded("401") : .unreachable("404"))
            let second = try carrier()
            #expect(second.address == (isThere ? moved : HTTPAddress("http://127.0.0.1:9/mcp")))
            #expect(second.goBack() == isThere && second.address == HTTPAddress("http://127.0.0.1:9/mcp"))
            let other = try carrier("http://127.0.0.1:9/other")
            #expect(other.address == HTTPAddress("http://127.0.0.1:9/other"))
            for each in [first, second, other] { each.shutDown {} }
        }.get()
    }

    @Test func `peace is kept by all who ask as the one that was told, until there is a reason to ask`() {
        let (memory, now) = (AddressMemory(), NIODeadline.uptimeNanoseconds(1_000_000_000_000))
        let target = RemoteTarget(url: Secret("http://127.0.0.1:9/mcp"), headers: ["X-Key": Secret("one")])
        var other = target
        other.headers["X-Key"] = Secret("another")
        memory.keepPeace(of: target, for: 60, now: now)
        #expect(memory.peace(of: target, now: now + .milliseconds(500)) == 60)
        #expect(memory.peace(of: other, now: now) == nil)
        // Who is told of it does not make it longer.
        memory.keepPeace(of: target, for: 30, now: now + .milliseconds(30_500))
        #expect(memory.peace(of: target, now: now + .seconds(60)) == nil)
        // A longer one is another one.
        memory.keepPeace(of: target, for: 1, now: now + .seconds(60))
        memory.keepPeace(of: target, for: 600, now: now + .seconds(60))
        #expect(memory.peace(of: target, now: now + .seconds(60)) == 600)
        memory.endPeace()
        memory.keepPeace(of: target, for: 86_400, now: now + .seconds(60))
        #expect(memory.peace(of: target, now: now + .seconds(60)) == 3_600)
        memory.endPeace()
        #expect(memory.peace(of: target, now: now + .seconds(60)) == nil)
    }
}

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
                target, tokens: nil, maximumMessage: 1 << 10, loop: loop,
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
}

import BridgeConfiguration
import BridgeHTTPClient
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import BridgeUpstream

@Suite("A connection by Streamable HTTP") struct StreamableHTTPTests {
    private let loop = NIOSingletons.posixEventLoopGroup.next()

    @Test func `a stream may be silent for five minutes, and what answers a message for ever`() async throws {
        try await self.loop.submit { [loop] in
            let connection = StreamableHTTP(
                RemoteTarget(url: Secret("http://127.0.0.1:9/mcp")), memory: AddressMemory(), maximumMessage: 1 << 10,
                loop: loop,
                logger: Logger(label: "streamable") { _ in SwiftLogNoOpLogHandler() })
            try connection.carrier.open()
            for event in [nil, "e1"] {
                #expect(connection.listening(after: event)?.limits == TransferLimits(idle: .minutes(5)))
            }
            #expect(connection.current()?.limits == TransferLimits())
            connection.carrier.shutDown {}
        }.get()
    }
}

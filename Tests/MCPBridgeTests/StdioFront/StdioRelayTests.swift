import BridgeCore
import BridgeHTTPClient
import NIOCore
import NIOPosix
import Testing

@testable import mcp_bridge

@Suite("Stdio relay") struct StdioRelayTests {
    private final class Nobody: StdioRelay.Output {
        func write(_ message: JSONText) {}
        func answer(_ answer: ByteBuffer) {}
        func changed(_ relay: StdioRelay) {}
        func finished() {}
    }

    @Test func `a session that is opened anew while nobody reads is read with everything else`() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let connections = HTTPConnections(on: loop, settings: HTTPConnectionSettings())
        let hello = try StdioMessage(
            ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#))
        let read = try await loop.submit {
            let settings = StdioSettings(
                place: .url("http://127.0.0.1:9/mcp"), names: nil, silence: .seconds(60), isSilenceOfCalls: false)
            let relay = StdioRelay(settings, connections, Nobody())
            relay.destination = HTTPAddress("http://127.0.0.1:9/mcp").map { MCPDestination($0) }
            relay.hello = hello
            relay.read(false)
            relay.renew()
            var read = [relay.renewal?.isReading]
            relay.read(true)
            read.append(relay.renewal?.isReading)
            relay.read(false)
            read.append(relay.renewal?.isReading)
            relay.leave()
            return read
        }.get()
        #expect(read == [false, true, false])
        try await connections.shutdown().get()
    }
}

import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeLink
@testable import BridgeSession

@Suite("Callers", .timeLimit(.minutes(1))) struct CallerTests {
    /// What a test's steps share.
    private final class Connection {
        let exchange = Exchange(header: .emptyObject, payload: nil)
        let caller: Caller
        let stream: ClientStream

        init(_ onDisconnect: Caller.Disconnect, loop: any EventLoop) {
            self.caller = Caller(
                revision: .newest, capabilities: [], principal: "p", session: nil, showsSafeNames: false,
                onDisconnect: onDisconnect
            )
            self.stream = ClientStream(
                of: self.caller, exchange: self.exchange, requests: 1, isBatch: false, retention: Retention(loop: loop),
                now: .now()
            )
        }
    }

    /// A call of a caller that has no session.
    private func withCall(
        _ onDisconnect: @escaping @Sendable () -> Caller.Disconnect,
        _ body: (SessionBench, NIOLoopBound<Connection>) async throws -> Void
    ) async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let connection = try await bench.value { scene in
                let connection = Connection(onDisconnect(), loop: scene.loop)
                let text = ByteBuffer(string: SessionCallTests.call())
                let message = try RPCMessage(try JSONText(validating: text))
                let method = try #require(MethodTable.standard["tools/call"])
                scene.worker?.desk.forward(
                    PendingRequest(
                        message: message, id: RPCID(1), method: method, stream: connection.stream, requestID: "r",
                        names: nil, hold: nil, now: .now()
                    ), .tools)
                return NIOLoopBound(connection, eventLoop: scene.loop)
            }
            try await bench.until { $0.upstream().calls.count == 1 }
            try await body(bench, connection)
        }
    }

    @Test func `who cannot come back have their calls cancelled with their connection`() async throws {
        try await self.withCall({ .cancel }) { bench, connection in
            try await bench.run { _ in connection.value.exchange.fail(.cancelled(reason: "gone")) }
            try await bench.until { $0.upstream().call(0)?.failure == .cancelled(reason: "cancelled") }
            try await bench.run { _ in #expect(connection.value.caller.calls.isEmpty) }
        }
    }

    @Test func `who may come back keep their calls`() async throws {
        try await self.withCall({ .goOn(keeping: KeptStreams()) }) { bench, connection in
            try await bench.run { _ in connection.value.exchange.fail(.cancelled(reason: "gone")) }
            _ = try await bench.open()
            try await bench.run { scene in
                #expect(scene.upstream().call(0)?.failure == nil)
                #expect(connection.value.caller.calls.count == 1)
            }
        }
    }

    @Test func `who have no session have their calls ended in time, as everybody has`() async throws {
        try await self.withCall({ .cancel }) { bench, connection in
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(200)) }
            try await bench.run { _ in #expect(connection.value.caller.calls.count == 1) }
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(306)) }
            try await bench.until { $0.upstream().call(0)?.failure == .cancelled(reason: "timeout") }
            try await bench.run { _ in #expect(connection.value.caller.calls.isEmpty) }
        }
    }

    @Test func `who cannot come back are sent events without ids, and nothing is kept for them`() async throws {
        try await self.withCall({ .cancel }) { bench, connection in
            let note = #"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#
            try await bench.run { $0.upstream().call(0)?.send("progress", note) }
            try await bench.until { _ in connection.value.stream.isStreaming }
            try await bench.run { _ in
                #expect(connection.value.stream.number == nil)
                #expect(connection.value.stream.keptOctets == 0)
            }
        }
    }
}

import BridgeConfiguration
import BridgeCore
import Testing

@testable import BridgeSession

@Suite("Names of servers that cannot run", .timeLimit(.minutes(2))) struct SessionFailedServerTests {
    private static let failed = FailedServer(
        name: "notes", prefix: "notes", reason: "it cannot run: no token"
    )

    private func request(_ method: String, _ params: String) -> String {
        #"{"jsonrpc":"2.0","id":7,"method":"\#(method)","params":\#(params)}"#
    }

    @Test(arguments: ["notes.add", "notes__add", "notes.a.b", "notes."])
    func `are told to be unavailable, and why`(name: String) async throws {
        try await SessionBench.with({ $0.failed = [Self.failed] }) { bench in
            let session = try await bench.open()
            let call = self.request("tools/call", #"{"name":"\#(name)","arguments":{}}"#)
            let error = try await bench.post(call, session: session).json.value("error")
            #expect(error?.int("code") == -32003)
            #expect(
                error?.string("message")
                    == "Upstream 'notes' is not available (it cannot run: no token); the call did not run")
        }
    }

    @Test(arguments: ["note.add", "notesadd", "notes", "other.notes.add", ""])
    func `are not those that only resemble them`(name: String) async throws {
        try await SessionBench.with({ $0.failed = [Self.failed] }) { bench in
            let session = try await bench.open()
            let call = self.request("tools/call", #"{"name":"\#(name)","arguments":{}}"#)
            #expect(try await bench.post(call, session: session).json.value("error")?.int("code") == -32602)
        }
    }

    @Test func `are known as long as the configuration says so, and what is listed goes before`() async throws {
        try await SessionBench.with({ $0.upstreams[0].prefix = "" }) { bench in
            try await bench.publish(["notes.add"])
            var troubled = bench.configuration
            troubled.failed = [Self.failed]
            let next = troubled
            try await bench.run { $0.worker?.reconfigure(next) }
            let session = try await bench.open()
            let gone = self.request("tools/call", #"{"name":"notes.remove","arguments":{}}"#)
            #expect(try await bench.post(gone, session: session).json.value("error")?.int("code") == -32003)
            #expect(try await bench.names(session: session) == ["notes.add"])
            let before = bench.configuration
            try await bench.run { $0.worker?.reconfigure(before) }
            #expect(try await bench.post(gone, session: session).json.value("error")?.int("code") == -32602)
        }
    }
}

import BridgeConfiguration
import BridgeCore
import Foundation
import Glibc
import NIOCore
import Testing

@testable import BridgeUpstream

extension LiveTests {
    @Suite("Servers that say nothing") struct HangTests {
        @Test func `one that hangs under steady calls is started anew, and serves them again`() async throws {
            try await WorkerBench.run(configure: {
                $0.pingInterval = 0.2
                $0.timeouts.ping = 5
            }) { bench in
                await bench.phase("ready")
                let begun = SuspendingClock.now
                #expect(await bench.call("hang", milliseconds: 500).error().int("code") == -32005)
                await withTaskGroup(of: Void.self) { group in
                    for caller in 0..<3 { group.addTask { await Self.callUntilServed(bench, caller) } }
                }
                #expect(bench.received("start ") == 2)
                #expect(SuspendingClock.now - begun < .seconds(60), "0.5 s for a call, 5.2 s for a ping, and the start")
                await bench.state { $0.string("lastError")?.contains("ping") == true }
            }
        }

        private static func callUntilServed(_ bench: WorkerBench, _ caller: Int) async {
            for round in 0..<100 {
                let answer = await bench.call("echo", id: "\(caller * 1_000 + round)", milliseconds: 500).answer()
                guard let word = answer.value("error")?.value("data")?.string("code") else { return }
                #expect(["timeout", "upstream_unavailable"].contains(word))
            }
            Issue.record("never served")
        }

        @Test func `one that is busy within its call's limit is left alone, and what waited is written when it speaks`()
            async throws
        {
            try await WorkerBench.run(configure: {
                $0.pingInterval = 0.2
                $0.timeouts.ping = 2
            }) { bench in
                await bench.phase("ready")
                let gate = bench.folder.appending(path: "gate")
                #expect(mkfifo(gate.path, 0o600) == 0)
                let busy = await bench.call("busy", #"{"gate":"\#(gate.path)"}"#, id: "1")
                _ = await bench.log.next { $0.message == "upstream says nothing; further calls wait" }
                let waits = await bench.call("echo", id: "2")
                let cancelled = await bench.call("echo", id: "3")
                await cancelled.cancel()
                let error = await bench.call("echo", id: "4", milliseconds: 50).error()
                #expect(error.value("data")?.string("code") == "upstream_unavailable")
                #expect(error.string("message")?.contains("it says nothing") == true)
                #expect(waits.events.all.isEmpty)
                try FileHandle(forWritingTo: gate).close()
                #expect(await busy.text() == "free")
                #expect(await waits.answer().value("result") != nil)
                #expect(bench.received("tools/call") == 2)
                #expect(bench.received("notifications/cancelled") == 0)
                #expect(bench.received("start ") == 1)
            }
        }

        @Test func `one that hangs and is told to cancel its only call is started anew for the next`() async throws {
            try await WorkerBench.run(configure: {
                $0.pingInterval = 0.2
                $0.timeouts.ping = 5
            }) { bench in
                await bench.phase("ready")
                let hung = await bench.call("hang")
                _ = await bench.log.next { $0.message == "upstream says nothing; further calls wait" }
                let next = await bench.call("echo", id: "2")
                await hung.cancel()
                #expect(await next.answer().value("result") != nil)
                #expect(bench.received("start ") == 2)
                #expect(bench.received(#""name":"echo""#) == 1)
            }
        }
    }
}

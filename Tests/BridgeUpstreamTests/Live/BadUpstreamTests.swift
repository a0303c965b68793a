import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeUpstream

extension LiveTests {
    @Suite("Upstreams that misbehave") struct BadUpstreamTests {
        @Test func `noise on stdout is logged and skipped`() async throws {
            try await WorkerBench.run(mode: "noise") { bench in
                await bench.phase("ready")
                #expect(await bench.call("garbage").text() == "clean")
                let noise = bench.log.all.filter { $0.message == "upstream stdout is not MCP; skipped" }
                #expect(noise.count >= 6)
                #expect(noise.contains { $0.metadata["text"] == "Starting up..." })
            }
        }

        @Test func `a second answer and one to an unknown id are dropped, and each is logged once`() async throws {
            try await WorkerBench.run { bench in
                #expect(await bench.call("twice").text() == "one")
                #expect(await bench.call("unknown", id: "5").text() == "me")
                #expect(await bench.call("unknown", id: "6").text() == "me")
                let strays = bench.log.all.filter { $0.message.hasPrefix("upstream answered what was not asked") }
                #expect(strays.map { $0.metadata["reason"] } == ["answered twice", "unknown id"])
            }
        }

        @Test func `an answer that is not JSON is told to its caller at once`() async throws {
            try await WorkerBench.run { bench in
                let error = await bench.call("broken").error()
                #expect(error.value("data")?.string("code") == "outcome_unknown")
                #expect(await bench.call("echo").answer().value("result") != nil)
            }
        }

        @Test(
            arguments: [
                (StdioLaunch.EncodingErrors.strict, nil), (.ignore, "caf"), (.replace, "caf\u{FFFD}"),
            ] as [(StdioLaunch.EncodingErrors, String?)])
        func `bytes that are not UTF-8 are treated as configured`(
            errors: StdioLaunch.EncodingErrors, expected: String?
        ) async throws {
            try await WorkerBench.run(configure: { configuration in
                guard case .stdio(var launch) = configuration.transport else { return }
                launch.encodingErrors = errors
                configuration.transport = .stdio(launch)
            }) { bench in
                let answer = await bench.call("latin").answer()
                #expect(answer.value("result")?.string("text") == expected)
                if expected == nil { #expect(answer.value("error")?.int("code") == -32004) }
            }
        }

        @Test func `a line of the limit passes, a longer one costs its own call only`() async throws {
            let limit = 300_000
            try await WorkerBench.run(configure: { $0.maximumLineBytes = limit }) { bench in
                let whole = await bench.call("exact", #"{"line":\#(limit)}"#).answer()
                #expect(whole.value("result")?.string("text")?.count ?? 0 > limit - 100)
                let parked = await bench.call("never", id: "2")
                let error = await bench.call("exact", #"{"line":\#(limit + 1)}"#, id: "3").error()
                #expect(error.value("data")?.string("code") == "outcome_unknown")
                #expect(error.string("message")?.contains("\(limit)") == true)
                #expect(await bench.call("echo", id: "4").answer().value("result") != nil)
                #expect(parked.events.all.isEmpty)
            }
        }

        @Test func `a flood on stderr stalls nothing, and is summarised`() async throws {
            try await WorkerBench.run(mode: "flood") { bench in
                await bench.phase("ready")
                for n in 0..<20 { #expect(await bench.call("echo", id: "\(n)").answer().value("result") != nil) }
                _ = await bench.log.next { $0.message == "upstream stderr lines dropped" }
                let lines = bench.log.all.filter { $0.message == "upstream stderr" }
                #expect(lines.count >= StderrLines.perSecond)
                #expect(lines.allSatisfy { $0.metadata["text"] == "all work and no play" })
                #expect(lines.first?.metadata["mcp.upstream"] == "fake")
                let chatter = bench.log.all.filter { $0.message.hasPrefix("upstream stderr") }
                #expect(Set(chatter.map(\.level)) == ["info"])
            }
        }

        @Test func `an upstream that never answers initialize is given up in time`() async throws {
            try await WorkerBench.run(mode: "mute", configure: { $0.timeouts.connect = 0.2 }) { bench in
                let error = await bench.call("echo").error()
                #expect(error.int("code") == -32003)
                #expect(error.string("message")?.contains("initialize") == true)
                let state = await bench.phase("backoff")
                #expect(state.string("nextReconnectAt") != nil)
                #expect(bench.received("notifications/cancelled") == 0)
            }
        }

        @Test func `a protocol version that is not supported is no connection`() async throws {
            try await WorkerBench.run(mode: "old") { bench in
                let state = await bench.phase("backoff")
                #expect(state.string("lastError")?.contains("1.0") == true)
                #expect(state.bool("connected") == false)
            }
        }

        @Test func `an upstream that does not answer pings is connected to again`() async throws {
            try await WorkerBench.run(
                mode: "deaf",
                configure: {
                    $0.pingInterval = 0.05
                    $0.timeouts.ping = 0.05
                }
            ) { bench in
                await bench.phase("ready")
                await bench.state { $0.string("lastError")?.contains("ping") == true }
                await bench.phase("ready")
                // The next one is deaf, too, and may have been given up already.
                #expect(bench.received("start ") >= 2)
            }
        }

        @Test func `a server that cannot be listed takes calls all the same`() async throws {
            try await WorkerBench.run(mode: "unlisted") { bench in
                let state = await bench.phase("ready")
                #expect(state.string("lastError")?.contains("no list today") == true)
                #expect(await bench.call("echo").answer().value("result") != nil)
            }
        }
    }
}

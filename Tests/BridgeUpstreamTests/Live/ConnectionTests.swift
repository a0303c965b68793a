import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeUpstream

extension LiveTests {
    @Suite("The connection and the catalogue") struct ConnectionTests {
        private static func names(_ catalogue: JSONText) -> [String] {
            var names: [String] = []
            catalogue.elements { names.append(catalogue[$0].string("name") ?? "") }
            return names
        }

        @Test func `watchers are told who the server is, and then its tools as they came`() async throws {
            try await WorkerBench.run { bench in
                #expect(
                    "\(await bench.identity())"
                        == #"{"capabilities":{"tools": {}, "logging": {}},"serverInfo":{"name": "fake", "version": "1"},"#
                        + #""instructions":"be nice","protocolVersion":"2025-06-18"}"#
                )
                #expect("\(await bench.catalogue())" == #"[{"inputSchema":{"type":"object"},"name":"echo"}]"#)
                let state = await bench.phase("ready")
                #expect(state.int("toolCount") == 1)
                #expect(state.bool("connected") == true)
                #expect(state.string("lastConnectedAt")?.hasSuffix("Z") == true)
                #expect(state.string("lastToolRefreshAt")?.hasSuffix("Z") == true)
                #expect(state.value("lastError")?.isNull == true)
                let status = await bench.statuses.next { $0.string("phase") == "ready" }
                #expect(status.string("name") == "fake")
                #expect(status.string("kind") == "stdio")
            }
        }

        @Test func `all pages are read, and the state follows the phases`() async throws {
            try await WorkerBench.run(mode: "pages") { bench in
                #expect(Self.names(await bench.catalogue()) == ["echo", "two", "three"])
                #expect(bench.received("tools/list") == 3)
                let phases = bench.statuses.all.compactMap { $0.string("phase") }
                #expect(phases.first == "connecting" || phases.first == "idle")
            }
        }

        @Test func `a burst of list_changed costs one list and brings the new catalogue`() async throws {
            try await WorkerBench.run { bench in
                _ = await bench.catalogue()
                #expect(await bench.call("change").text() == "changed")
                #expect(Self.names(await bench.catalogue()) == ["echo", "new"])
                #expect(bench.received("tools/list") == 2)
            }
        }

        @Test func `the list is read again after the interval, and told only when it differs`() async throws {
            try await WorkerBench.run(configure: { $0.refreshInterval = 0.02 }) { bench in
                _ = await bench.catalogue()
                let first = await bench.phase("ready").string("lastToolRefreshAt")
                await bench.state { $0.string("lastToolRefreshAt") != first }
                #expect(bench.received("tools/list") >= 2)
                let catalogues = bench.events.all.filter { if case .catalogue("tools", _) = $0 { true } else { false } }
                #expect(catalogues.count == 1)
            }
        }

        @Test func `a server that does not say that it has tools is asked for them all the same`() async throws {
            try await WorkerBench.run(mode: "toolless") { bench in
                #expect(Self.names(await bench.catalogue()) == ["echo"])
                await bench.phase("ready")
            }
        }

        @Test func `one that has none is asked once`() async throws {
            try await WorkerBench.run(mode: "toolless unlisted", configure: { $0.refreshInterval = 0.02 }) { bench in
                #expect(Self.names(await bench.catalogue()) == [])
                let state = await bench.phase("ready")
                #expect(state.value("notes")?.description == #"["it announces no tools, and has none"]"#)
                for _ in 0..<3 { #expect(await bench.call("echo").answer().value("result") != nil) }
                #expect(bench.received("tools/list") == 1)
            }
        }

        @Test func `half of a surrogate pair in an answer, in progress and in the log becomes one character`()
            async throws
        {
            try await WorkerBench.run { bench in
                let call = await bench.call("halves", token: "7")
                #expect("\(await call.message().text)".contains(#""message":"cut \ufffd""#))
                let answer = await call.answer()
                #expect(answer.value("result")?.string("text") == "cut \u{FFFD}")
                #expect("\(answer)".contains(#"\ufffd \ud83d\ude00"#) && !"\(answer)".contains(#"cut \ud83d"#))
            }
        }

        @Test func `a lazy upstream starts with the first call`() async throws {
            try await WorkerBench.run(configure: { $0.start = .lazy }) { bench in
                await bench.phase("idle")
                #expect(bench.journal.isEmpty)
                #expect(await bench.call("echo").answer().value("result") != nil)
                #expect(bench.received("start ") == 1)
            }
        }

        @Test func `a lazy upstream starts when its list is wanted`() async throws {
            try await WorkerBench.run(configure: { $0.start = .lazy }) { bench in
                await bench.ask(.retry)
                #expect(Self.names(await bench.catalogue()) == ["echo"])
            }
        }

        @Test func `an unused child is ended, its catalogue stays, and a call brings it back`() async throws {
            try await WorkerBench.run(configure: { $0.idleStop = 0.1 }) { bench in
                await bench.phase("ready")
                let state = await bench.phase("idle")
                #expect(state.int("toolCount") == 1)
                #expect(state.value("pid")?.isNull == true)
                #expect(await bench.call("echo").answer().value("result") != nil)
                #expect(bench.received("start ") == 2)
            }
        }

        @Test func `one whose news is waited for is started, stays, and is let go when nobody waits any more`()
            async throws
        {
            try await WorkerBench.run(configure: {
                $0.start = .lazy
                $0.idleStop = 0.05
                $0.pingInterval = 0.1
            }) { bench in
                await bench.phase("idle")
                let first = await bench.keep()
                let second = await bench.keep()
                await bench.phase("ready")
                await bench.cancel(first)
                // Before a single ping it would be let go. What a server has read it writes down, and nothing announces that.
                while bench.received(#""method":"ping""#) < 5 { try await Task.sleep(for: .milliseconds(10)) }
                #expect(bench.received("start ") == 1)
                await bench.cancel(second)
                await bench.phase("idle")
            }
        }

        @Test func `the log level is passed on, and again after a reconnect`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                await bench.ask(.level, payload: #"{"level":"warning"}"#)
                _ = await bench.call("die").error()
                #expect(await bench.call("echo").answer().value("result") != nil)
                #expect(bench.received(#""params":{"level":"warning"}"#) == 2)
            }
        }

        @Test func `a child sees its own environment and nothing of the bridge's`() async throws {
            try await WorkerBench.run { bench in
                let text = try #require(await bench.call("env").text())
                let environment = try JSONText(validating: ByteBuffer(string: text))
                var names: Set<String> = []
                environment.members { key, _ in names.insert(key.string) }
                #expect(names.subtracting(["LC_CTYPE"]) == ["PATH", "MODE", "JOURNAL", "PYTHONDONTWRITEBYTECODE"])
            }
        }

        @Test func `a changed command lets the calls under way finish and starts the new one`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let slow = await bench.call("slow", token: "1")
                _ = await slow.message()
                var configuration = bench.configuration
                guard case .stdio(var launch) = configuration.transport else { return }
                launch.environment["MODE"] = Secret("pages")
                configuration.transport = .stdio(launch)
                bench.worker.reconfigure(configuration)
                #expect(await slow.text() == "slowly")
                #expect(await bench.call("echo", id: "2").answer().value("result") != nil)
                #expect(bench.received("start ") == 2)
            }
        }

        @Test func `limits that cannot be enforced are told`() async throws {
            try await WorkerBench.run(configure: { $0.limits.tasks = 100 }) { bench in
                let state = await bench.phase("ready")
                #expect(state.value("notes").map { "\($0)" }?.contains("not enforced") == true)
            }
        }
    }
}

import BridgeConfiguration
import BridgeCore
import BridgeProcess
import Glibc
import NIOCore
import Testing

@testable import BridgeUpstream

extension LiveTests {
    @Suite("Children that die") struct DeathTests {
        @Test(arguments: ["die", "midline"])
        func `a call whose child dies gets one answer, is never written again, and the next one is served`(
            tool: String
        ) async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let call = await bench.call(tool)
                let error = await call.error()
                #expect(error.int("code") == -32004)
                #expect(error.value("data")?.string("code") == "outcome_unknown")
                #expect(error.string("message")?.contains("signal 9") == true)
                #expect(await bench.call("echo", id: "2").answer().value("result") != nil)
                #expect(bench.received(#""name":"\#(tool)""#) == 1)
                #expect(bench.received("start ") == 2)
                #expect(call.events.all.count == 1)
            }
        }

        @Test func `the reason names the exit code, and leaves the last words to the log`() async throws {
            try await WorkerBench.run { bench in
                let error = await bench.call("exit").error()
                #expect(error.string("message")?.contains("exited with code 3") == true)
                #expect(error.string("message")?.contains("cheese") == false)
            }
        }

        @Test func `an answer sent just before the exit counts`() async throws {
            try await WorkerBench.run { bench in
                #expect(await bench.call("lastwords").text() == "bye")
                await bench.phase("ready")
            }
        }

        @Test func `a call to a child that cannot start fails after one attempt, with the reason`() async throws {
            try await WorkerBench.run(mode: "boom") { bench in
                let state = await bench.phase("backoff")
                #expect(state.string("lastError")?.contains("exited with code 3") == true)
                #expect(state.int("reconnectAttempts") ?? 0 >= 1)
                let lives = bench.received("start ")
                let error = await bench.call("echo").error()
                #expect(error.int("code") == -32003)
                #expect(error.value("data")?.string("code") == "upstream_unavailable")
                #expect(error.string("message")?.contains("boom") == false)
                #expect(bench.received("start ") == lives + 1)
                #expect(bench.received("tools/call") == 0)
            }
        }

        @Test func `a command that does not exist is a clear reason`() async throws {
            try await WorkerBench.run(configure: {
                $0.transport = .stdio(StdioLaunch(command: "no-such-program", environment: ["PATH": Secret("/bin")]))
            }) { bench in
                let error = await bench.call("echo").error()
                #expect(error.string("message")?.contains("no-such-program was not found in /bin") == true)
            }
        }

        @Test(arguments: ["/srv/s3cret/tool", "s3cret-tool"])
        func `a command that does not exist is not told where it holds a secret`(command: String) async throws {
            try await WorkerBench.run(configure: {
                var launch = StdioLaunch(command: command, workingDirectory: "/srv/s3cret")
                launch.shownCommand = command.replacing("s3cret", with: "***")
                launch.shownWorkingDirectory = "/srv/***"
                $0.transport = .stdio(launch)
            }) { bench in
                let message = try #require(await bench.call("echo").error().string("message"))
                #expect(message.contains("***"))
                #expect(!message.contains("s3cret"))
                #expect(await bench.phase("backoff").string("lastError")?.contains("s3cret") == false)
            }
        }

        @Test func `calls that wait when the child dies wait for the next one`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let dying = await bench.call("die")
                #expect(await dying.error().int("code") == -32004)
                let calls = [await bench.call("echo", id: "1"), await bench.call("echo", id: "2")]
                for call in calls { #expect(await call.answer().value("result") != nil) }
                #expect(bench.received("start ") == 2)
            }
        }

        @Test func `a child that does not come back fails the calls that waited for it`() async throws {
            try await WorkerBench.run(mode: "once") { bench in
                await bench.phase("ready")
                let code1 = await bench.call("die").error().int("code")
                #expect(code1 == -32004)
                let code2 = await bench.call("echo", id: "2").error().int("code")
                #expect(code2 == -32003)
            }
        }

        @Test func `nothing of a dead child's tree is left, not even what has left its session`() async throws {
            try await WorkerBench.run { bench in
                let stray = try #require(await bench.call("double-fork").text().flatMap { pid_t($0) })
                #expect(ProcessStatus(pid: stray)?.isDead == false)
                _ = await bench.call("die", id: "2").error()
                #expect(await bench.call("echo", id: "3").answer().value("result") != nil)
                #expect(ProcessStatus(pid: stray)?.isDead ?? true)
            }
        }

        @Test func `the supervisor's end is the end of everything, at once`() async throws {
            let pids = EventLog<pid_t>()
            try await WorkerBench.run { bench in
                let state = await bench.phase("ready")
                pids.append(pid_t(state.int("pid") ?? 0))
                pids.append(try #require(await bench.call("double-fork").text().flatMap { pid_t($0) }))
                let parked = await bench.call("progress", #"{"steps":1,"silent":true}"#, id: "2", token: "1")
                _ = await parked.message()
                await bench.closeControl()
                #expect(await parked.error().int("code") == -32004)
                // Not as late as calls may end.
                await bench.worker.stop(within: .seconds(600))
                for pid in pids.all { #expect(ProcessStatus(pid: pid)?.isDead ?? true) }
            }
        }

        @Test func `a stop lets calls finish, takes no more, and leaves nobody behind`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let pid = pid_t(await bench.statuses.next { $0.string("phase") == "ready" }.int("pid") ?? 0)
                let slow = await bench.call("slow", token: "1")
                _ = await slow.message()
                async let stopped: Void = bench.worker.stop(within: .seconds(20))
                #expect(await slow.text() == "slowly")
                await stopped
                #expect(ProcessStatus(pid: pid)?.isDead ?? true)
                #expect(await bench.statuses.next { $0.string("phase") == "stopped" }.value("pid")?.isNull == true)
            }
        }

        @Test func `a stop that has waited long enough answers what is left`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let parked = await bench.call("never")
                #expect(await bench.call("echo", id: "2").answer().value("result") != nil)
                async let stopped: Void = bench.worker.stop(within: .milliseconds(50))
                #expect(await parked.error().int("code") == -32004)
                await stopped
            }
        }
    }
}

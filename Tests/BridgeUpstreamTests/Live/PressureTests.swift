import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeProcess
import Foundation
import Glibc
import NIOCore
import Testing

@testable import BridgeUpstream

extension LiveTests {
    @Suite("Too much at once") struct PressureTests {
        /// Which of the calls each life of the server has read, by the number in their arguments.
        private func numbers(_ bench: WorkerBench) throws -> [[Int]] {
            var lives: [[Int]] = []
            for line in bench.journal {
                if line.hasPrefix("start ") { lives.append([]) }
                guard line.hasPrefix("{"), line.contains("tools/call"), !lives.isEmpty,
                    let message = try? JSONText(validating: ByteBuffer(string: line)),
                    let number = message.value("params")?.value("arguments")?.int("n")
                else { continue }
                lives[lives.count - 1].append(number)
            }
            return lives
        }

        @Test func `of calls to a child that reads nothing and dies, the written are unknown and the others run once`()
            async throws
        {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let gate = bench.folder.appending(path: "gate")
                #expect(mkfifo(gate.path, 0o600) == 0)
                let stalled = await bench.call("stall", #"{"gate":"\#(gate.path)"}"#, id: "1000")
                let filler = String(repeating: "x", count: 60_000)
                var calls: [LiveCall] = []
                for n in 0..<60 {
                    calls.append(await bench.call("echo", #"{"n":\#(n),"filler":"\#(filler)"}"#, id: "\(n)"))
                }
                // It dies soon after all have been handed over.
                try FileHandle(forWritingTo: gate).close()
                #expect(await stalled.error().int("code") == -32004)
                var answered: [Int] = []
                for (n, call) in calls.enumerated() {
                    let answer = await call.answer()
                    if answer.value("result") != nil {
                        answered.append(n)
                    } else {
                        #expect(answer.value("error")?.int("code") == -32004)
                    }
                }
                let lives = try self.numbers(bench)
                #expect(lives.count == 2)
                #expect(lives.first == [])
                #expect(lives.last == answered)
                #expect(!answered.isEmpty && answered.count < calls.count)
            }
        }

        @Test func `more calls than may wait are refused, and the others are told when the attempt fails`() async throws
        {
            try await WorkerBench.run(mode: "mute", configure: { $0.timeouts.connect = 60 }) { bench in
                var calls: [LiveCall] = []
                for n in 0..<1_030 { calls.append(await bench.call("echo", id: "\(n)", milliseconds: 60_000)) }
                var codes: [Int: Int] = [:]
                // They come in their order, and the attempt lasts until all have come.
                for call in calls.suffix(6) { codes[await call.error().int("code") ?? 0, default: 0] += 1 }
                let asked = await bench.log.next { $0.message == "upstream stderr" }
                let child = try #require(pid_t(asked.metadata["text"] ?? ""))
                kill(child, SIGKILL)
                for call in calls.dropLast(6) { codes[await call.error().int("code") ?? 0, default: 0] += 1 }
                #expect(codes == [-32006: 6, -32003: 1_024])
            }
        }

        @Test func `a call that has been written takes no room from the next`() async throws {
            try await WorkerBench.run(configure: { $0.workerBytes = 90_000 }) { bench in
                await bench.phase("ready")
                let filler = String(repeating: "x", count: 20_000)
                for n in 1...5 {
                    let call = await bench.call("never", #"{"filler":"\#(filler)"}"#, id: "\(n)")
                    // It is read behind the call.
                    #expect(await bench.call("echo", id: "\(n + 100)").answer().value("result") != nil)
                    #expect(bench.received(#""name":"never""#) == n)
                    #expect(call.events.all.isEmpty)
                }
            }
        }

        @Test func `an upstream that asks without listening is ended`() async throws {
            try await WorkerBench.run { bench in
                let error = await bench.call("interrogate").error()
                #expect(error.int("code") == -32004)
                #expect(error.string("message")?.contains("does not read its input") == true)
                #expect(await bench.call("echo", id: "2").answer().value("result") != nil)
            }
        }

        @Test func `who reads progress slowly gets the newest and no backlog`() async throws {
            try await WorkerBench.run { bench in
                let call = await bench.call("progress", #"{"steps":500,"silent":true}"#, token: "1", reads: false)
                for _ in 0..<ExchangeWindow.messages { _ = await call.message() }
                #expect(await bench.call("echo", id: "2").answer().value("result") != nil)
                #expect(call.events.all.count == ExchangeWindow.messages)
                await call.acknowledge(ExchangeWindow.messages)
                let (_, newest) = await call.message()
                #expect(newest.value("params")?.int("progress") == 499)
            }
        }

        @Test func `progress gives a call its time anew`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let call = await bench.call("steady", token: "1", milliseconds: 3_000)
                #expect(await call.text() == "steadily", "its 4.2 s are more than it has at a time")
            }
        }

        @Test func `results of many megabytes pass while others call`() async throws {
            try await WorkerBench.run { bench in
                let size = 20 << 20
                let big = await bench.call("big", #"{"size":\#(size)}"#)
                for n in 0..<20 {
                    #expect(await bench.call("echo", #"{"n":1}"#, id: "\(n)").answer().value("result") != nil)
                }
                #expect(await big.answer().count > size)
            }
        }

        @Test func `a large call that is cancelled at once is never run, or cancelled upstream`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let filler = String(repeating: "x", count: 2 << 20)
                let call = await bench.call("never", #"{"filler":"\#(filler)"}"#)
                await call.cancel()
                #expect(await bench.call("echo", id: "2").answer().value("result") != nil)
                #expect(bench.received(#""name":"never""#) == bench.received("notifications/cancelled"))
            }
        }

        @Test func `a large call that is given up while there is no room for it is never run`() async throws {
            try await WorkerBench.run(configure: { $0.workerBytes = 12 << 20 }) { bench in
                await bench.phase("ready")
                let gate = bench.folder.appending(path: "gate")
                #expect(mkfifo(gate.path, 0o600) == 0)
                let filler = String(repeating: "x", count: 5 << 20)
                let busy = await bench.call("busy", #"{"gate":"\#(gate.path)"}"#, id: "1")
                let first = await bench.call("echo", #"{"filler":"\#(filler)"}"#, id: "2")
                let second = await bench.call("meta", #"{"filler":"\#(filler)"}"#, id: "3")
                #expect(second.events.all.isEmpty)
                await second.cancel()
                try FileHandle(forWritingTo: gate).close()
                #expect(await busy.text() == "free")
                #expect(await first.answer().value("result") != nil)
                let third = await bench.call("echo", #"{"filler":"\#(filler)"}"#, id: "4")
                #expect(await third.answer().value("result") != nil)
                #expect(bench.received(#""name":"meta""#) == 0)
                #expect(bench.received("notifications/cancelled") == 0)
            }
        }

        @Test(.enabled(if: PressureTests.groups != nil, "needs a writable unified control group hierarchy"))
        func `a child lives in its control group, which goes with it`() async throws {
            let name = "mcp-bridge-upstream-test-\(getpid())"
            let group = Cgroup(directory: "\(Self.groups ?? "")/\(name)")
            try await WorkerBench.run(configure: {
                $0.cgroup = group.directory
                $0.limits.tasks = 50
            }) { bench in
                let pid = pid_t(await bench.phase("ready").int("pid") ?? 0)
                let before = try group.processes()
                #expect(before == [pid])
                _ = await bench.call("die").error()
                #expect(await bench.call("echo", id: "2").answer().value("result") != nil)
                let after = try group.processes()
                #expect(after.count == 1 && after != before)
            }
            #expect(access(group.directory, F_OK) != 0)
        }

        private static let groups: String? = {
            ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].first {
                access("\($0)/cgroup.procs", W_OK) == 0 && access($0, W_OK) == 0
            }
        }()
    }
}

import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeUpstream

extension LiveTests {
    @Suite("Calls through a live worker") struct CallTests {
        @Test(arguments: ["7", #""a\u0062c""#, #""""#, "-12345678901234567890"])
        func `an answer carries the client's id as it was written`(id: String) async throws {
            try await WorkerBench.run { bench in
                let call = await bench.call("echo", #"{"x":[1.0,{"y":"\u00e9"}]}"#, id: id)
                let answer = await call.answer()
                #expect(answer.value("id").map { "\($0)" } == id)
                #expect(answer.value("result")?.value("echo") != nil)
                #expect(bench.received(#""method":"tools/call""#) == 1)
                #expect(bench.received(#"{"x":[1.0,{"y":"\u00e9"}]}"#) == 1, "the arguments went as they came")
            }
        }

        @Test func `ids and progress tokens upstream are the bridge's own, and the client's come back`() async throws {
            try await WorkerBench.run { bench in
                let meta = await bench.call("meta", id: #""mine""#, token: #""my token""#).text()
                let seen = try JSONText(validating: ByteBuffer(string: meta ?? "null"))
                var numbers: [Int?] = []
                seen.elements { numbers.append(seen[$0].ownNumber) }
                #expect(numbers.count == 2 && numbers[0] != nil && numbers[0] == numbers[1])

                let call = await bench.call("progress", #"{"steps":3}"#, id: "1", token: #""my token""#)
                for step in 0..<3 {
                    let (kind, message) = await call.message()
                    #expect(kind == "progress")
                    #expect(message.value("params")?.string("progressToken") == "my token")
                    #expect(message.value("params")?.int("progress") == step)
                }
                #expect(await call.text() == "done")
            }
        }

        @Test func `a call goes upstream under the name that its server knows, and everything else as it came`()
            async throws
        {
            try await WorkerBench.run { bench in
                let call = await bench.call("fake.echo", #"{"n":1}"#, id: "7", token: #""t""#, name: "echo")
                #expect(await call.answer().value("result")?.value("echo")?.int("n") == 1)
                let told = try #require(bench.journal.first { $0.contains("tools/call") })
                let id = try #require(JSONText(validating: ByteBuffer(string: told)).int("id"))
                #expect(
                    told
                        == #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"echo","arguments":{"n":1},"#
                        + #""_meta":{"progressToken":"\#(id)"}}}"#)
                let spread =
                    #"{"params":{"_meta":{"progressToken":1},"name":"fake.echo"},"method":"tools/call","id":8,"#
                let other = await bench.request(spread + #""jsonrpc":"2.0"}"#, name: "echo")
                #expect(await other.answer().value("result") != nil)
                #expect(bench.received(#""name":"echo""#) == 2)
            }
        }

        @Test func `many calls at once all get their own answer`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let calls = await withTaskGroup(of: (Int, LiveCall).self) { group in
                    for n in 0..<500 {
                        group.addTask { (n, await bench.call("echo", #"{"n":\#(n)}"#, id: "\(n)")) }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                for (n, call) in calls {
                    let answer = await call.answer()
                    #expect(answer.int("id") == n)
                    #expect(answer.value("result")?.value("echo")?.int("n") == n)
                }
                #expect(bench.received("tools/call") == 500)
            }
        }

        @Test func `a request spread over lines is one line upstream`() async throws {
            try await WorkerBench.run { bench in
                let call = await bench.request(
                    "{\r\n \"jsonrpc\":\"2.0\",\n\"id\":1,\n\"method\":\"tools/call\",\"params\":{\n\"name\":\"echo\",\"arguments\":{\"a\":\"\\n\"}}\n}"
                )
                #expect(await call.answer().value("result")?.value("echo")?.string("a") == "\n")
            }
        }

        @Test func `methods and errors that the bridge does not know pass untouched`() async throws {
            try await WorkerBench.run { bench in
                let strange = await bench.request(#"{"jsonrpc":"2.0","id":1,"method":"x/strange"}"#)
                #expect("\(await strange.answer())" == #"{"jsonrpc": "2.0", "id": 1, "result": {}}"#)
                let error = await bench.call("no such tool").error()
                #expect(error.int("code") == -32602)
                let batched = await bench.call("batch").answer()
                #expect(batched.value("result")?.bool("batched") == true)
            }
        }

        @Test func `a cancelled call is cancelled upstream, under the bridge's id`() async throws {
            try await WorkerBench.run { bench in
                let call = await bench.call("progress", #"{"steps":1,"silent":true}"#, token: "1")
                _ = await call.message()
                await call.cancel()
                #expect(await bench.call("echo").answer().value("result") != nil)
                let cancelled = try #require(bench.journal.first { $0.contains("notifications/cancelled") })
                let called = try #require(bench.journal.first { $0.contains("tools/call") })
                let requestID = try JSONText(validating: ByteBuffer(string: cancelled)).value("params")?.int(
                    "requestId")
                #expect(requestID != nil)
                #expect(try JSONText(validating: ByteBuffer(string: called)).int("id") == requestID)
                #expect(call.events.all.count == 1, "nothing comes after the cancel")
            }
        }

        @Test func `the session worker's death cancels its calls`() async throws {
            try await WorkerBench.run { bench in
                let call = await bench.call("progress", #"{"steps":1,"silent":true}"#, token: "1")
                _ = await call.message()
                await bench.closeSession()
                _ = await bench.log.next { $0.metadata["mcp.outcome"] == "cancelled" }
                let nothing = await call.answer()
                #expect(nothing == .null)
            }
        }

        @Test func `a call that takes too long is cancelled upstream and answered`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let error = await bench.call("never", milliseconds: 50).error()
                #expect(error.int("code") == -32005)
                #expect(error.value("data")?.string("code") == "timeout")
                #expect(await bench.call("echo").answer().value("result") != nil)
                #expect(bench.received("notifications/cancelled") == 1)
            }
        }

        @Test func `log messages go to the only call, others to the watchers`() async throws {
            try await WorkerBench.run { bench in
                let call = await bench.call("log")
                let (kind, message) = await call.message()
                #expect(kind == "log")
                #expect(message.value("params")?.string("data") == "hello")
                #expect(await call.text() == "logged")

                let never = await bench.call("never", id: "2")
                #expect(await bench.call("log", id: "3").text() == "logged")
                #expect(await bench.note().string("method") == "notifications/message")
                await never.cancel()
                #expect(await bench.call("update", id: "4").text() == "updated")
                #expect(await bench.note().string("method") == "notifications/resources/updated")
            }
        }

        @Test(arguments: [
            ("ping", #""result": {}"#), ("roots/list", #"file:///srv"#), ("sampling/createMessage", "-32601"),
            ("elicitation/create", "decline"), ("x/unheard-of", "-32601"),
        ])
        func `each question of the upstream gets one answer`(method: String, expected: String) async throws {
            try await WorkerBench.run(configure: { $0.roots = [Root(uri: "file:///srv")] }) { bench in
                let told = try #require(await bench.call("ask", #"{"method":"\#(method)"}"#).text())
                #expect(told.contains(expected), "\(told)")
                #expect(bench.received(#""id":"q-1""#) == 1)
            }
        }

        @Test func `what is no request is refused`() async throws {
            try await WorkerBench.run { bench in
                let notification = await bench.request(#"{"jsonrpc":"2.0","method":"x"}"#).error()
                #expect(notification.int("code") == -32600)
            }
        }

        @Test func `a finished call leaves one record`() async throws {
            try await WorkerBench.run { bench in
                _ = await bench.call("echo").answer()
                let line = await bench.log.next { $0.message == "Call finished" }
                #expect(line.level == "debug")
                #expect(line.metadata["mcp.request_id"] == "r-1")
                #expect(line.metadata["mcp.upstream"] == "fake")
                #expect(line.metadata["mcp.tool"] == "echo")
                #expect(line.metadata["mcp.duration_us"].flatMap { Int($0) } != nil)
            }
        }
    }
}

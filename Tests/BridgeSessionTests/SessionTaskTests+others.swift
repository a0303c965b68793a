import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeSession

// Where a task is not what its client, or its server, has asked for.

extension SessionTaskTests {
    @Test func `are refused where their server has none, if others have`() async throws {
        try await SessionBench.with(upstreams: ["s", "u"]) { bench in
            try await bench.publish(["t"])
            try await bench.publish(["t"], by: "u")
            try await bench.run { scene in for name in ["s", "u"] { scene.upstream(name).onCall = { $0.succeed() } } }
            let session = try await bench.open()
            // Nobody has declared any: what the server does not know it ignores.
            #expect(try await bench.post(Self.call(), session: session).errorWord == nil)
            try await bench.run { $0.upstream("u").tell(.identity, #"{"capabilities":\#(Self.declared)}"#) }
            try await bench.until { $0.worker?.directory.upstreams.last?.hasTasks == true }
            let answer = try await bench.post(Self.call(), session: session)
            #expect(answer.errorCode == -32601)
            #expect(answer.json.value("error")?.string("message")?.contains("declares no tasks") == true)
            try await bench.run { #expect($0.upstream("s").calls.count == 1) }
        }
    }

    @Test func `run in the place of plain calls where a tool wants it so`() async throws {
        let tool = #"{"name":"t","execution":{"taskSupport":"required"}}"#
        for version in ["2024-11-05", "2025-11-25"] {
            try await self.withTasks([tool]) { bench in
                try await bench.run { scene in
                    scene.upstream().onCall = { call in
                        let isLast = scene.upstream().calls.count == 3
                        guard call.request.contains("tasks/get"), isLast else { return Self.serve(call) }
                        call.reply(Self.task("task-1", "completed"), life: 5)
                    }
                }
                let session = try await bench.open(version: version)
                let answer = try await bench.post(Self.call(nil, id: 7), session: session)
                #expect(answer.json.description == #"{"jsonrpc":"2.0","id":7,"result":{"content":[]}}"#)
                try await bench.run { scene in
                    let calls = scene.upstream().calls
                    #expect(calls[0].request.contains(#"{"task":{"ttl":3600000},"name":"s.t"}"#))
                    #expect(calls.dropFirst().map { $0.header.name?.string } == ["task-1", "task-1", "task-1"])
                    #expect(calls.dropFirst().map(\.header.life) == [5, 5, 5])
                }
                if version == "2025-11-25" {
                    let list = try await bench.post(Self.request("list", nil), session: session)
                    #expect(list.json.value("result")?.description == #"{"tasks":[]}"#)
                }
            }
        }
    }

    @Test func `end with the plain calls that they run in the place of`() async throws {
        let tool = #"{"name":"t","execution":{"taskSupport":"required"}}"#
        try await self.withTasks([tool]) { bench in
            let session = try await bench.open()
            try await bench.post("call", Self.call(nil, id: 7), session: session)
            try await bench.until { $0.upstream().calls.count >= 2 }
            let cancel = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#
            try await bench.post("cancel", cancel, session: session)
            try await bench.until { scene in
                scene.upstream().calls.contains {
                    $0.request.contains("tasks/cancel") && $0.header.name?.string == "task-1"
                }
            }
            let count = try await bench.value { $0.upstream().calls.count }
            try await bench.run {
                $0.upstream().tell(
                    .taskNote(life: 5),
                    #"{"jsonrpc":"2.0","method":"notifications/tasks/status","params":\#(Self.task())}"#)
            }
            _ = try await bench.post(Self.request("list", nil), session: session)
            try await bench.run { #expect($0.upstream().calls.count == count) }
        }
    }

    private static func progress(_ value: Int) -> String {
        #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":\#(value),"#
            + #""_meta":{"io.modelcontextprotocol/related-task":{"taskId":"task-1"}}}}"#
    }

    /// Whether the call has been told of progress so many times, each time of more.
    private static func isTold(_ scene: Scene, _ count: Int) -> Bool {
        let values = scene.answer("call").events.compactMap(\.body).compactMap {
            JSONText(trusting: ByteBuffer(string: $0)).value("params")?.double("progress")
        }
        return values.count == count && zip(values, values.dropFirst()).allSatisfy { $0 < $1 }
    }

    @Test func `whose progress a plain call is told stays behind what that is told while somebody is asked`()
        async throws
    {
        let tool = #"{"name":"t","execution":{"taskSupport":"required"}}"#
        try await self.withTasks([tool]) { bench in
            try await bench.run { scene in
                scene.upstream().onCall = { call in if call.request.contains("tools/call") { Self.serve(call) } }
            }
            let hello = SessionBench.initialize.replacing(
                #""capabilities":{}"#, with: #""capabilities":{"elicitation":{}}"#)
            let session = try #require(try await bench.post(hello, session: nil).session)
            let call =
                #"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"s.t","_meta":{"progressToken":"p"}}}"#
            try await bench.post("call", call, session: session)
            try await bench.until { $0.upstream().calls.count == 2 }
            try await bench.run { $0.upstream().tell(.taskNote(life: 5), Self.progress(60)) }
            try await bench.until { Self.isTold($0, 1) }
            try await bench.run {
                $0.upstream().calls[1].ask(
                    1,
                    #"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"message":"m","requestedSchema":{"type":"object","properties":{}}}}"#
                )
            }
            try await bench.until { $0.answer("call").events.contains { $0.body?.contains("elicitation") ?? false } }
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(16)) }
            try await bench.until { Self.isTold($0, 2) }
            try await bench.run { $0.upstream().tell(.taskNote(life: 5), Self.progress(61)) }
            try await bench.until { Self.isTold($0, 3) }
        }
    }

    @Test func `whose plain call fails are cancelled at their server`() async throws {
        let tool = #"{"name":"t","execution":{"taskSupport":"required"}}"#
        try await self.withTasks([tool]) { bench in
            try await bench.run { scene in
                scene.upstream().onCall = { call in
                    guard call.request.contains("tasks/get") else { return Self.serve(call) }
                    call.fail("internal", code: -32603)
                }
            }
            let session = try await bench.open()
            #expect(try await bench.post(Self.call(nil, id: 7), session: session).errorWord == "outcome_unknown")
            try await bench.until { scene in scene.upstream().calls.contains { $0.request.contains("tasks/cancel") } }
        }
    }

    @Test func `are asked about after a result that is an error, which says not whether they are over`() async throws {
        for status in ["failed", "working"] {
            try await self.withTasks { bench in
                let session = try await bench.open()
                let id = try Self.id(in: try await bench.post(Self.call(), session: session))
                try await bench.run { scene in
                    scene.upstream().onCall = { call in
                        guard call.request.contains("tasks/result") else {
                            return call.reply(Self.task("task-1", status), life: 5)
                        }
                        call.answer(#"{"jsonrpc":"2.0","id":\#(call.id),"error":{"code":-32000,"message":"m"}}"#)
                    }
                }
                #expect(try await bench.post(Self.request("result", id), session: session).errorCode == -32000)
                try await bench.until { $0.upstream().calls.last?.request.contains("tasks/get") == true }
            }
        }
    }

    @Test func `are asked about for a list in calls that count, and no longer than somebody waits for it`() async throws
    {
        try await self.withTasks(adjust: { $0.maximumInFlight = 3 }) { bench in
            let session = try await bench.open()
            for number in 1...3 {
                try await bench.run { scene in
                    let task = Self.task("task-\(number)")
                    scene.upstream().onCall = { $0.reply(#"{"task":\#(task)}"#, life: 5) }
                }
                _ = try await bench.post(Self.call(), session: session)
            }
            try await bench.run { $0.upstream().onCall = { _ in } }
            try await bench.post("list", Self.request("list", nil, id: 9), session: session)
            try await bench.until { $0.upstream().calls.count == 6 && $0.worker?.desk.underWay == 3 }
            let busy = try await bench.post(Self.request("list", nil, id: 10), session: session)
            #expect(busy.errorWord == "overloaded")
            let cancel = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}"#
            try await bench.post("cancel", cancel, session: session)
            try await bench.until { scene in
                scene.upstream().calls.suffix(3).allSatisfy { $0.failure != nil } && scene.worker?.desk.underWay == 0
            }
        }
    }

    @Test func `whose server has ended are lost, and that is said`() async throws {
        try await self.withTasks { bench in
            let session = try await bench.open()
            let id = try Self.id(in: try await bench.post(Self.call(), session: session))
            try await bench.run { scene in
                scene.upstream().onCall = { call in
                    let isFirst = scene.upstream().calls.count == 2
                    call.fail(isFirst ? "outcome_unknown" : "unknown_task", code: isFirst ? -32004 : -32602)
                }
            }
            // The connection was lost while somebody waited: asked once more, the server's worker knows what became of it.
            let answer = try await bench.post(Self.request("result", id), session: session)
            #expect(answer.errorCode == -32602)
            let list = try await bench.post(Self.request("list", nil), session: session)
            #expect(list.json.value("result")?.description == #"{"tasks":[]}"#)
            try await bench.run { #expect($0.upstream().calls.count == 3) }
        }
    }
}

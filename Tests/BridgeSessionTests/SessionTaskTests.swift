import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Tasks", .timeLimit(.minutes(2))) struct SessionTaskTests {
    static let declared = #"{"tools":{},"tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}}"#
    static let relation = "io.modelcontextprotocol/related-task"

    static func call(_ task: String? = #"{"ttl":60000}"#, tool: String = "s.t", id: Int = 1) -> String {
        let task = task.map { #","task":\#($0)"# } ?? ""
        return #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(tool)"\#(task)}}"#
    }

    static func request(_ method: String, _ task: String?, id: Int = 1) -> String {
        let params = task.map { #"{"taskId":"\#($0)"}"# } ?? "{}"
        return #"{"jsonrpc":"2.0","id":\#(id),"method":"tasks/\#(method)","params":\#(params)}"#
    }

    static func task(_ id: String = "task-1", _ status: String = "working") -> String {
        #"{"taskId":"\#(id)","status":"\#(status)","createdAt":"2025-11-25T10:30:00Z","lastUpdatedAt":"2025-11-25T10:30:00Z","ttl":60000,"pollInterval":50}"#
    }

    /// A server whose tools can be called as tasks, and what it does about calls.
    func withTasks(
        _ tools: [String] = [#"{"name":"t","execution":{"taskSupport":"optional"}}"#],
        adjust: (inout SessionConfiguration) -> Void = { _ in },
        _ body: (SessionBench) async throws -> Void
    ) async throws {
        try await SessionBench.with(adjust) { bench in
            try await bench.until { !$0.upstream().watches.isEmpty }
            try await bench.run { scene in
                scene.upstream().publish(tools)
                scene.upstream().tell(.identity, #"{"serverInfo":{},"capabilities":\#(Self.declared)}"#)
                scene.upstream().onCall = { call in Self.serve(call) }
            }
            try await bench.until { scene in
                scene.worker?.directory.section(.tools).entries.count == tools.count
                    && scene.worker?.directory.upstreams.first?.hasTasks == true
            }
            try await body(bench)
        }
    }

    static func serve(_ call: FakeUpstream.Call, life: Int = 5) {
        let text = JSONText(trusting: ByteBuffer(string: call.request))
        let own = call.header.name?.string ?? ""
        switch text.string("method") {
        case "tools/call": call.reply(#"{"task":\#(Self.task())}"#, life: life)
        case "tasks/get": call.reply(Self.task(own), life: life)
        case "tasks/cancel": call.reply(Self.task(own, "cancelled"), life: life)
        default: call.reply(#"{"content":[]}"#, life: life)
        }
    }

    static func id(in answer: Answer) throws -> String {
        let result = try #require(answer.json.value("result"))
        return try #require((result.value("task") ?? result).string("taskId"))
    }

    @Test func `are declared to those that may have them`() async throws {
        try await self.withTasks { bench in
            let new = try await bench.post(SessionBench.initialize, session: nil)
            #expect(
                new.json.value("result")?.value("capabilities")?.value("tasks")?.description
                    == #"{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}"#)
            let old = SessionBench.initialize.replacing("2025-11-25", with: "2025-06-18")
            let answer = try await bench.post(old, session: nil)
            #expect(answer.json.value("result")?.value("capabilities")?.member("tasks") == nil)
            let session = try await bench.open(version: "2025-06-18")
            #expect(try await bench.post(Self.request("list", nil), session: session).errorWord == "method_not_found")
        }
    }

    @Test func `go by their server's ids there and by ours here`() async throws {
        try await self.withTasks { bench in
            let session = try await bench.open()
            let made = try await bench.post(Self.call(), session: session)
            let id = try Self.id(in: made)
            #expect(id.hasPrefix("s:") && !id.contains("task-1"))
            #expect(made.json.value("result")?.description == #"{"task":\#(Self.task(id))}"#)
            let got = try await bench.post(Self.request("get", id), session: session)
            #expect(got.json.value("result")?.description == Self.task(id))
            let result = try await bench.post(Self.request("result", id), session: session)
            #expect(
                result.json.value("result")?.description
                    == #"{"_meta":{"\#(Self.relation)":{"taskId":"\#(id)"}},"content":[]}"#)
            let cancelled = try await bench.post(Self.request("cancel", id), session: session)
            #expect(cancelled.json.value("result")?.description == Self.task(id, "cancelled"))
            try await bench.run { scene in
                let calls = scene.upstream().calls
                #expect(calls.map(\.header.life) == [0, 5, 5, 5])
                #expect(calls.dropFirst().map { $0.header.name?.string } == ["task-1", "task-1", "task-1"])
                // The one that waits does so for as long as the task is kept, and a little longer.
                #expect(calls[1].header.timeout == 300_000)
                #expect((calls[2].header.timeout ?? 0) > 300_000)
            }
        }
    }

    @Test func `are their principal's, and unknown to all others`() async throws {
        try await self.withTasks { bench in
            let owner = try await bench.open(principal: "uid:1")
            let id = try Self.id(in: try await bench.post(Self.call(), session: owner, principal: "uid:1"))
            let stranger = try await bench.open(principal: "uid:2")
            let forged = String(id.dropLast()) + (id.hasSuffix("A") ? "B" : "A")
            for method in ["get", "result", "cancel"] {
                for (session, principal, id) in [
                    (stranger, "uid:2", id), (owner, "uid:1", forged), (owner, "uid:1", "task-1"),
                    (owner, "uid:1", "s:"),
                ] {
                    let answer = try await bench.post(Self.request(method, id), session: session, principal: principal)
                    #expect(answer.errorCode == -32602 && answer.errorWord == "unknown_task")
                    #expect(answer.json.value("error")?.string("message") == "There is no such task of yours")
                }
                let answer = try await bench.post(Self.request(method, nil), session: owner, principal: "uid:1")
                #expect(answer.errorCode == -32602)
            }
            let twin = try await bench.open(principal: "uid:1")
            #expect(try await bench.post(Self.request("get", id), session: twin, principal: "uid:1").errorWord == nil)
            let list = try await bench.post(Self.request("list", nil), session: stranger, principal: "uid:2")
            #expect(list.json.value("result")?.description == #"{"tasks":[]}"#)
            try await bench.run { #expect($0.upstream().calls.count == 2) }
        }
    }

    @Test func `are listed page by page, as their servers say they are`() async throws {
        try await self.withTasks(adjust: { $0.pageSize = 2 }) { bench in
            let session = try await bench.open()
            var ids: Set<String> = []
            for number in 1...5 {
                try await bench.run { scene in
                    let task = Self.task("task-\(number)")
                    scene.upstream().onCall = { $0.reply(#"{"task":\#(task)}"#, life: 5) }
                }
                ids.insert(try Self.id(in: try await bench.post(Self.call(), session: session)))
            }
            // One is known no more; another has lost its server's memory of it.
            try await bench.run { scene in
                scene.upstream().onCall = { call in
                    if call.header.name?.string == "task-2" { return call.fail("unknown_task", code: -32602) }
                    Self.serve(call)
                }
            }
            var listed: [String] = []
            var cursor = "{}"
            var pages = 0
            repeat {
                let body = #"{"jsonrpc":"2.0","id":1,"method":"tasks/list","params":\#(cursor)}"#
                let result = try #require(try await bench.post(body, session: session).json.value("result"))
                let tasks = try #require(result.value("tasks"))
                tasks.elements { listed.append(tasks[$0].string("taskId") ?? "?") }
                guard let next = result.string("nextCursor") else { break }
                cursor = #"{"cursor":"\#(next)"}"#
                pages += 1
            } while pages < 9
            #expect(pages == 2 && listed.count == 4 && ids.isSuperset(of: listed))
            for cursor in [#""""#, "7", #""x""#, #""s:AAAA""#] {
                let body = #"{"jsonrpc":"2.0","id":1,"method":"tasks/list","params":{"cursor":\#(cursor)}}"#
                #expect(try await bench.post(body, session: session).errorCode == -32602)
            }
        }
    }

    @Test func `outlive the worker, under the same ids`() async throws {
        try await self.withTasks { bench in
            let session = try await bench.open()
            let id = try Self.id(in: try await bench.post(Self.call(), session: session))
            try await bench.restartWorker()
            try await bench.until { $0.upstream().watches.count > 1 }
            let list = try await bench.post(Self.request("list", nil), session: session)
            #expect(list.json.value("result")?.description == #"{"tasks":[\#(Self.task(id))]}"#)
            #expect(try Self.id(in: try await bench.post(Self.request("get", id), session: session)) == id)
        }
    }

    @Test func `are told of to their principal's sessions, and to no others`() async throws {
        try await self.withTasks { bench in
            let owner = try await bench.open(principal: "uid:1")
            let id = try Self.id(in: try await bench.post(Self.call(), session: owner, principal: "uid:1"))
            let sessions = [
                ("maker", owner, "uid:1"), ("twin", try await bench.open(principal: "uid:1"), "uid:1"),
                ("old", try await bench.open(version: "2025-06-18", principal: "uid:1"), "uid:1"),
                ("stranger", try await bench.open(principal: "uid:2"), "uid:2"),
            ]
            for (name, session, principal) in sessions {
                try await bench.get(name, session: session, principal: principal)
            }
            try await bench.until { scene in sessions.allSatisfy { scene.answer($0.0).isStreaming } }
            let status =
                #"{"jsonrpc":"2.0","method":"notifications/tasks/status","params":\#(Self.task("task-1", "completed"))}"#
            let meta = #""_meta":{"\#(Self.relation)":{"taskId":"task-1"}}"#
            let progress =
                #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"x",\#(meta),"progress":1}}"#
            try await bench.run { scene in
                // Of another life of the server, of a task that nobody has; and then of the task.
                scene.upstream().tell(.taskNote(life: 6), status)
                scene.upstream().tell(.taskNote(life: 5), status.replacing("task-1", with: "task-9"))
                scene.upstream().tell(.taskNote(life: 5), progress)
                scene.upstream().tell(.taskNote(life: 5), status)
                scene.upstream().note(#"{"jsonrpc":"2.0","method":"end"}"#)
            }
            try await bench.until { scene in
                sessions.allSatisfy { scene.answer($0.0).events.contains { $0.body?.contains("end") == true } }
            }
            try await bench.run { scene in
                let heard = { (name: String) in
                    scene.answer(name).events.compactMap(\.body).filter { $0.contains("task") }
                }
                let told = { (text: String) in text.replacing("task-1", with: id) }
                #expect(heard("maker") == [told(progress), told(status)])
                #expect(heard("twin") == [told(status)])
                #expect(heard("old").isEmpty && heard("stranger").isEmpty)
            }
        }
    }

    @Test func `are bounded: how many there are, and for how long`() async throws {
        try await self.withTasks { bench in
            let session = try await bench.open()
            _ = try await bench.post(Self.call(#"{"ttl":1e15}"#), session: session)
            try await bench.run { scene in
                #expect(scene.upstream().call(0)?.request.contains(#""task":{"ttl":604800000}"#) == true)
                scene.upstream().onCall = { call in
                    let task = Self.task("task-\(scene.upstream().calls.count)").replacing("60000", with: "null")
                    call.reply(#"{"task":\#(task)}"#, life: 5)
                }
            }
            for _ in 2...256 {
                let answer = try await bench.post(Self.call(), session: session)
                #expect(answer.json.value("result")?.value("task")?.int("ttl") == 604_800_000)
            }
            let answer = try await bench.post(Self.call(), session: session)
            #expect(answer.errorWord == "overloaded")
            #expect(answer.json.value("error")?.string("message")?.contains("256 tasks") == true)
            let other = try await bench.open(principal: "uid:2")
            #expect(try await bench.post(Self.call(), session: other, principal: "uid:2").errorWord == nil)
        }
    }
}

extension FakeUpstream.Call {
    /// Answers with a result, in a life of the server.
    func reply(_ result: String, life: Int) {
        let reply = #"{"jsonrpc":"2.0","id":\#(self.id),"result":\#(result)}"#
        self.exchange.end(header: UpstreamEnd(life: life).text, payload: ByteBuffer(string: reply))
    }
}

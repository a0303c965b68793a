import BridgeCore
import NIOCore
import Testing

@testable import BridgeSession

// Whose scope has their server, and whose has not.

extension SessionTaskTests {
    private static let mine = "token:aaaaaaaaaaaa"
    private static let others = "token:bbbbbbbbbbbb"

    private static func post(
        _ body: String, _ session: String?, _ principal: String, _ scope: String, in bench: SessionBench
    ) async throws -> Answer {
        try await bench.run {
            $0.request("scoped", .post, body: body, session: session, principal: principal, scope: scope)
        }
        return try await bench.answer("scoped")
    }

    private static func open(_ principal: String, _ scope: String, in bench: SessionBench) async throws -> String {
        let answer = try await Self.post(SessionBench.initialize, nil, principal, scope, in: bench)
        return try #require(answer.session)
    }

    private static func listed(_ answer: Answer) -> Int {
        var count = 0
        answer.json.value("result")?.value("tasks")?.elements { _ in count += 1 }
        return count
    }

    @Test func `are unknown to other tokens, whatever those see of the server`() async throws {
        try await self.withTasks { bench in
            let owner = try await Self.open(Self.mine, "tool:s.t", in: bench)
            let id = try Self.id(in: try await Self.post(Self.call(), owner, Self.mine, "tool:s.t", in: bench))
            for scope in ["mcp", "server:s", "server:other", "tool:s.t"] {
                let session = try await Self.open(Self.others, scope, in: bench)
                for method in ["get", "result", "cancel"] {
                    let asked = Self.request(method, id)
                    let answer = try await Self.post(asked, session, Self.others, scope, in: bench)
                    #expect(answer.errorWord == "unknown_task", "\(scope) \(method)")
                }
                let list = try await Self.post(Self.request("list", nil), session, Self.others, scope, in: bench)
                #expect(list.errorWord == nil && Self.listed(list) == 0)
            }
            try await bench.run { #expect($0.upstream().calls.count == 1) }
            let asked = try await Self.post(Self.request("get", id), owner, Self.mine, "tool:s.t", in: bench)
            #expect(asked.errorWord == nil)
        }
    }

    @Test func `are nobody's business whose scope has their server no longer`() async throws {
        try await self.withTasks { bench in
            let owner = try await Self.open(Self.mine, "mcp", in: bench)
            let id = try Self.id(in: try await Self.post(Self.call(), owner, Self.mine, "mcp", in: bench))
            for method in ["get", "result", "cancel"] {
                let answer = try await Self.post(Self.request(method, id), owner, Self.mine, "server:other", in: bench)
                #expect(answer.errorWord == "not_granted", "\(method)")
            }
            let list = try await Self.post(Self.request("list", nil), owner, Self.mine, "server:other", in: bench)
            #expect(list.errorWord == nil && Self.listed(list) == 0)
            try await bench.run {
                $0.request("get", .get, session: owner, principal: Self.mine, scope: "server:other")
            }
            try await bench.until { $0.answer("get").isStreaming }
            let log =
                #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":1,"_meta":{"\#(Self.relation)":{"taskId":"task-1"}}}}"#
            try await bench.run { scene in
                scene.upstream().tell(
                    .taskNote(life: 5),
                    #"{"jsonrpc":"2.0","method":"notifications/tasks/status","params":\#(Self.task())}"#)
                scene.upstream().tell(.taskNote(life: 5), log)
                scene.upstream().tell(phase: "ready")
            }
            // Whatever its server said before, the worker has heard once it answers what comes after it.
            try await bench.run { scene in scene.upstream().onCall = { Self.serve($0) } }
            let again = try await Self.post(Self.request("get", id), owner, Self.mine, "mcp", in: bench)
            #expect(again.errorWord == nil)
            try await bench.run { scene in
                #expect(scene.answer("get").events.allSatisfy { $0.body?.contains("list_changed") == true })
                #expect(scene.upstream().calls.count == 2)
            }
        }
    }
}

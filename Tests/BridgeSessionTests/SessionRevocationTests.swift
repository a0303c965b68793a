import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("What goes on in the name of a token that is over", .timeLimit(.minutes(2))) struct SessionRevocationTests {
    private static let mine = "token:aaaaaaaaaaaa"
    private static let others = "token:bbbbbbbbbbbb"

    private static func end(_ bench: SessionBench) async throws {
        try await bench.run { $0.request("over", .over, principal: Self.mine) }
        #expect(try await bench.answer("over").status == 200)
    }

    private static func call(_ id: Int) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"s.t"}}"#
    }

    @Test func `ends at the server, whoever waits for it, and what others ask goes on`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open(principal: Self.mine)
            let twin = try await bench.open(principal: Self.mine)
            let other = try await bench.open(principal: Self.others)
            try await bench.post("left", Self.call(1), session: session, principal: Self.mine)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run { $0.client("left").exchange?.end(header: .emptyObject) }
            try await bench.post("waits", Self.call(2), session: twin, principal: Self.mine)
            try await bench.until { $0.upstream().calls.count == 2 }
            try await bench.post("other", Self.call(3), session: other, principal: Self.others)
            try await bench.until { $0.upstream().calls.count == 3 }
            try await bench.get("listens", session: session, principal: Self.mine)
            try await bench.until { $0.answer("listens").isStreaming }
            try await Self.end(bench)
            #expect(try await bench.answer("waits").errorWord == "outcome_unknown")
            _ = try await bench.answer("listens")
            try await bench.until { scene in
                scene.upstream().calls.prefix(2).allSatisfy { $0.failure == .cancelled(reason: "cancelled") }
            }
            try await bench.run { scene in
                #expect(scene.upstream().calls[2].failure == nil)
                #expect(scene.worker?.desk.underWay == 1)
                scene.upstream().calls[2].succeed()
            }
            #expect(try await bench.answer("other").errorWord == nil)
        }
    }

    @Test func `comes from nobody where it comes late, until a session is opened in it anew`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open(principal: Self.mine)
            let other = try await bench.open(principal: Self.others)
            try await Self.end(bench)
            let late = try await bench.post(Self.call(1), session: session, principal: Self.mine)
            #expect(late.status == 404)
            try await bench.run { #expect($0.upstream().calls.isEmpty) }
            try await bench.run { $0.upstream().onCall = { $0.succeed() } }
            #expect(try await bench.post(Self.call(2), session: other, principal: Self.others).errorWord == nil)
            let anew = try await bench.open(principal: Self.mine)
            #expect(try await bench.post(Self.call(3), session: anew, principal: Self.mine).errorWord == nil)
        }
    }

    @Test func `leaves no subscription, in this life of the worker and in the next`() async throws {
        for isRestarted in [false, true] {
            try await SessionBench.with { bench in
                try await bench.until { !$0.upstream().watches.isEmpty }
                try await bench.run { scene in
                    scene.upstream().publish([#"{"uri":"a:1","name":"x"}"#], of: .resources)
                    scene.upstream().onCall = { $0.succeed() }
                }
                try await bench.until { $0.worker?.directory.section(.resources).entries.count == 1 }
                let session = try await bench.open(principal: Self.mine)
                let subscribe = #"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"a:1"}}"#
                let answer = try await bench.post(subscribe, session: session, principal: Self.mine)
                #expect(answer.errorWord == nil)
                if isRestarted {
                    try await bench.restartWorker()
                    try await bench.until { $0.upstream().calls.count == 2 }
                }
                try await Self.end(bench)
                try await bench.until { scene in
                    scene.upstream().calls.last?.request.contains("resources/unsubscribe") == true
                }
            }
        }
    }
}

extension SessionTaskTests {
    /// Each call makes a task of its own: `task-1`, `task-2`, …
    private static func serveMany(_ scene: Scene) {
        var count = 0
        scene.upstream().onCall = { call in
            guard call.request.contains("tools/call") else { return Self.serve(call) }
            count += 1
            call.reply(#"{"task":\#(Self.task("task-\(count)"))}"#, life: 5)
        }
    }

    @Test func `are cancelled when their principal's token is over, in this life of the worker and in the next`()
        async throws
    {
        for isRestarted in [false, true] {
            try await self.withTasks { bench in
                try await bench.run { Self.serveMany($0) }
                for principal in ["token:a", "token:b"] {
                    let session = try await bench.open(principal: principal)
                    _ = try await bench.post(Self.call(), session: session, principal: principal)
                }
                if isRestarted { try await bench.restartWorker() }
                try await bench.run { $0.request("over", .over, principal: "token:a") }
                try await bench.until { scene in
                    scene.upstream().calls.contains { $0.request.contains("tasks/cancel") }
                }
                for (principal, count) in [("token:a", 0), ("token:b", 1)] {
                    let session = try await bench.open(principal: principal)
                    let list = try await bench.post(Self.request("list", nil), session: session, principal: principal)
                    var tasks = 0
                    list.json.value("result")?.value("tasks")?.elements { _ in tasks += 1 }
                    #expect(tasks == count, "\(principal) \(list)")
                }
                try await bench.run { scene in
                    let cancelled = scene.upstream().calls.filter { $0.request.contains("tasks/cancel") }
                    #expect(cancelled.map { $0.header.name?.string } == ["task-1"])
                    #expect(cancelled.map(\.header.life) == [5])
                    #expect(cancelled.map(\.header.principal) == ["token:a"])
                }
            }
        }
    }

    @Test func `that are being made when the token is over do not stay`() async throws {
        try await self.withTasks { bench in
            try await bench.run { $0.upstream().onCall = { _ in } }
            let session = try await bench.open(principal: "token:a")
            try await bench.post("make", Self.call(), session: session, principal: "token:a")
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run { $0.request("over", .over, principal: "token:a") }
            // Its server's worker ends what comes of it after all.
            try await bench.until { $0.upstream().call(0)?.failure == .cancelled(reason: "cancelled") }
            #expect(try await bench.answer("make").errorWord == "outcome_unknown")
        }
    }
}

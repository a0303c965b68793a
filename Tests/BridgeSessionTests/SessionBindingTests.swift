import BridgeCore
import BridgeMCP
import Glibc
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Requests by number", .timeLimit(.minutes(1))) struct SessionBindingTests {
    private static let ping = #"{"jsonrpc":"2.0","id":7,"method":"ping"}"#
    private static let pong = Answer(status: 200, body: #"{"jsonrpc":"2.0","id":7,"result":{}}"#)

    private static func number(_ rawValue: Int) throws -> BindingNumber {
        try #require(BindingNumber(rawValue: rawValue))
    }

    /// A request that gives whoever asks a number.
    private func bind(
        _ rawValue: Int, _ session: String?, principal: String = "local", names: String? = nil, in bench: SessionBench
    ) async throws -> Answer {
        let number = try Self.number(rawValue)
        try await bench.run {
            $0.request(
                "binding", .post, body: Self.ping, session: session, principal: principal, names: names, binding: number
            )
        }
        return try await bench.answer("binding")
    }

    private func post(
        by rawValue: Int, _ body: String = Self.ping, id: String = "", in bench: SessionBench
    ) async throws -> Answer {
        let number = try Self.number(rawValue)
        try await bench.run { $0.request("bound", .bound(number, requestID: id), body: body) }
        return try await bench.answer("bound")
    }

    private func expectUnknown(_ rawValue: Int, in bench: SessionBench) async throws {
        let answer = try await self.post(by: rawValue, in: bench)
        #expect(answer.isUnknown, "\(rawValue): \(answer)")
        #expect(answer.body == Self.ping, "the request comes back as it was")
    }

    @Test func `are served as those of the request that gave it`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open()
            #expect(try await self.bind(5, session, names: "safe", in: bench) == Self.pong)
            for _ in 0..<3 { #expect(try await self.post(by: 5, in: bench) == Self.pong) }
            let list = try await self.post(by: 5, #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, in: bench)
            #expect(SessionBench.names(in: list) == ["s__t"])
            let note = try await self.post(by: 5, #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, in: bench)
            #expect(note == Answer(status: 202))
        }
    }

    @Test func `whose number was never given are sent back, and nothing runs`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open()
            _ = try await self.bind(16_384 + 5, session, in: bench)
            for number in [1, 5, 6, 2 * 16_384 + 5, Int.max] { try await self.expectUnknown(number, in: bench) }
            let call = try await self.post(by: 6, SessionCallTests.call(), in: bench)
            #expect(call.isUnknown && call.body == SessionCallTests.call())
            let broken = try await self.post(by: 6, "no JSON", in: bench)
            #expect(broken.isUnknown, "it is not even read")
            try await bench.run { scene in
                #expect(scene.upstream().calls.isEmpty)
                #expect(scene.worker?.desk.underWay == 0)
            }
        }
    }

    @Test func `of two sessions and principals, one after the other, are each their own`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            try await bench.run { $0.upstream().onCall = { $0.succeed() } }
            let callers = [("uid:1", try await bench.open(principal: "uid:1")), ("local", try await bench.open())]
            for (index, (principal, session)) in callers.enumerated() {
                #expect(try await self.bind(index + 1, session, principal: principal, in: bench) == Self.pong)
            }
            let order = [0, 1, 0, 1, 1, 0, 0, 1]
            for (id, index) in order.enumerated() {
                let answer = try await self.post(by: index + 1, SessionCallTests.call("\(id)"), id: "r\(id)", in: bench)
                #expect(answer.status == 200 && answer.json.int("id") == id)
            }
            let calls = try await bench.value { $0.upstream().calls.map(\.header) }
            #expect(calls.map(\.principal) == order.map { callers[$0].0 })
            #expect(calls.map(\.session) == order.map { SessionSeal.digest(of: callers[$0].1) })
            #expect(calls.map(\.requestID) == order.indices.map { "r\($0)" })
        }
    }

    @Test func `of a session that another connection has ended are answered as those without a number`() async throws {
        try await SessionBench.with { bench in
            let (session, other) = (try await bench.open(), try await bench.open())
            _ = try await self.bind(1, session, in: bench)
            _ = try await self.bind(2, other, in: bench)
            #expect(try await bench.delete(session: session) == Answer(status: 204))
            for body in [Self.ping, "[\(Self.ping)]", #"{"jsonrpc":"2.0","method":"notifications/x"}"#, "{}"] {
                let answer = try await self.post(by: 1, body, in: bench)
                #expect(answer == (try await bench.post(body, session: session)))
                #expect(answer.status == (body == "{}" ? 400 : 404))
            }
            #expect(try await self.post(by: 2, in: bench) == Self.pong, "it is another's end")
            // It is not known under a new number, either.
            #expect(try await self.bind(3, session, in: bench).status == 404)
            try await self.expectUnknown(3, in: bench)
        }
    }

    @Test func `of a session whose end cannot be written go on`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            _ = try await self.bind(1, session, in: bench)
            guard mkdir(bench.folder.file("sessions.journal"), 0o700) == 0 else { throw SystemError("mkdir") }
            #expect(try await bench.delete(session: session).status == 500)
            #expect(try await self.post(by: 1, in: bench) == Self.pong)
            rmdir(bench.folder.file("sessions.journal"))
            #expect(try await bench.delete(session: session).status == 204)
            #expect(try await self.post(by: 1, in: bench).status == 404)
        }
    }

    @Test func `bind nothing where they are refused`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            #expect(try await self.bind(1, session, principal: "uid:1", in: bench).status == 404)
            try await self.expectUnknown(1, in: bench)
            #expect(try await self.bind(2, nil, in: bench).status == 400)
            try await self.expectUnknown(2, in: bench)
            #expect(try await self.bind(3, "nonsense", in: bench).status == 404)
            try await self.expectUnknown(3, in: bench)
        }
    }

    @Test func `of a number in whose slot another was given since are sent back`() async throws {
        try await SessionBench.with { bench in
            let (first, second) = (try await bench.open(), try await bench.open(principal: "uid:1"))
            _ = try await self.bind(16_384 + 3, first, in: bench)
            _ = try await self.bind(2 * 16_384 + 3, second, principal: "uid:1", in: bench)
            try await self.expectUnknown(16_384 + 3, in: bench)
            #expect(try await self.post(by: 2 * 16_384 + 3, in: bench) == Self.pong)
        }
    }

    @Test func `are known by one link of one worker only`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            _ = try await self.bind(1, session, in: bench)
            try await bench.restartWorker()
            try await self.expectUnknown(1, in: bench)
            _ = try await self.bind(1, session, in: bench)
            #expect(try await self.post(by: 1, in: bench) == Self.pong)
            try await bench.run { $0.replaceFront() }
            try await self.expectUnknown(1, in: bench)
        }
    }

    @Test func `outlive a change of the configuration`() async throws {
        try await SessionBench.with { bench in
            _ = try await self.bind(1, try await bench.open(), in: bench)
            let configuration = bench.configuration
            try await bench.run { $0.worker?.reconfigure(configuration) }
            #expect(try await self.post(by: 1, in: bench) == Self.pong)
        }
    }

    @Test func `open no session`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            _ = try await self.bind(1, session, in: bench)
            let answer = try await self.post(by: 1, SessionBench.initialize, in: bench)
            #expect(answer == (try await bench.post(SessionBench.initialize, session: session)))
            #expect(answer.status == 400 && answer.session == nil)
        }
    }

    @Test func `count as use of their session`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            _ = try await self.bind(1, session, in: bench)
            try await bench.run { scene in
                // Idle for so long that it is not counted any more.
                scene.worker?.keepHouse(now: .now() + .hours(2))
                #expect(scene.worker?.sessions.countInUse == 0)
            }
            #expect(try await self.post(by: 1, in: bench) == Self.pong)
            try await bench.run { #expect($0.worker?.sessions.countInUse == 1) }
        }
    }
}

@Suite("The verdict on a bound caller") struct BoundCallerTests {
    private static func caller(expires: UInt64 = 1_000) -> BoundCaller {
        let claims = SessionClaims(
            number: 5, revision: .newest, capabilities: [], safeNames: false, principal: "local", created: 1,
            expires: expires
        )
        return BoundCaller(SessionIdentity(claims, id: "id"), names: nil, epoch: 3)
    }

    @Test func `ends with the session, between two requests`() {
        let caller = Self.caller()
        #expect(caller.stands(at: 998, epoch: 3) { _ in false })
        #expect(caller.stands(at: 999, epoch: 3) { _ in false })
        #expect(!caller.stands(at: 1_000, epoch: 3) { _ in false })
        #expect(!caller.stands(at: 2_000, epoch: 4) { _ in false })
    }

    @Test func `is looked at again in each epoch, and once`() {
        let caller = Self.caller()
        var asked: [UInt64] = []
        let look: (UInt64) -> Bool = {
            asked.append($0)
            return false
        }
        #expect(caller.stands(at: 1, epoch: 3, isEnded: look))
        #expect(asked.isEmpty)
        #expect(caller.stands(at: 1, epoch: 4, isEnded: look))
        #expect(caller.stands(at: 1, epoch: 4, isEnded: look))
        #expect(asked == [5])
    }

    @Test func `does not stand once the session was ended, and again if that was taken back`() {
        let caller = Self.caller()
        for _ in 0..<2 { #expect(!caller.stands(at: 1, epoch: 4) { _ in true }) }
        #expect(caller.stands(at: 1, epoch: 4) { _ in false })
    }
}

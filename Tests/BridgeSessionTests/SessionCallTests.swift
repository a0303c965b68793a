import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("tools/call", .timeLimit(.minutes(2))) struct SessionCallTests {
    static func call(_ id: String = "1", _ name: String = "s.t", rest: String = "") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(name)"\#(rest)}}"#
    }

    @Test func `reaches the upstream as it was, beside the upstream's own name for the tool`() async throws {
        try await SessionBench.with({ $0.upstreams[0].callTimeout = 12.5 }) { bench in
            try await bench.publish(["t"])
            let session = try await bench.open(principal: "uid:7")
            let sent =
                #"{ "params" : {"arguments":{"name":"s.t","x":1.50,"é":"\u00e9"}, "name":"s\u002et" ,"_meta":{"progressToken":"p"}},"id":"\u0061", "method":"tools/call","jsonrpc":"2.0","more":[ ]}"#
            try await bench.post("call", sent, session: session, principal: "uid:7")
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run { scene in
                let call = try #require(scene.upstream().call(0))
                #expect(call.request == sent)
                #expect(call.header.name?.description == #""t""#)
                #expect(call.header.requestID.hasPrefix("request-"))
                #expect(call.header.timeout == 12_500)
                #expect(call.header.principal == "uid:7")
                #expect(call.header.session == SessionSeal.digest(of: session))
                call.answer(#"{"result": {"x":1.0} ,"id":"\u0061","jsonrpc":"2.0"}"#)
            }
            let answer = try await bench.answer("call")
            #expect(answer == Answer(status: 200, body: #"{"result": {"x":1.0} ,"id":"\u0061","jsonrpc":"2.0"}"#))
        }
    }

    @Test(arguments: ["s.t", "s__t"])
    func `answers to both spellings of a name`(name: String) async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            try await bench.run { $0.upstream().onCall = { $0.succeed() } }
            let answer = try await bench.post(Self.call("1", name), session: try await bench.open())
            #expect(answer.status == 200 && answer.errorCode == nil)
        }
    }

    @Test func `goes to the upstream whose tool it is`() async throws {
        try await SessionBench.with(upstreams: ["a", "b"]) { bench in
            try await bench.publish(["t"], by: "a")
            try await bench.publish(["t"], by: "b")
            try await bench.run { scene in
                for name in ["a", "b"] { scene.upstream(name).onCall = { $0.succeed(#""\#(name)""#) } }
            }
            let session = try await bench.open()
            for name in ["a", "b"] {
                let answer = try await bench.post(Self.call("1", "\(name).t"), session: session)
                #expect(answer.json.string("result") == name)
            }
        }
    }

    @Test func `of a tool that was listed in the same turn of the loop finds it`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open()
            try await bench.run { scene in
                scene.upstream().onCall = { $0.succeed() }
                let directory = try #require(scene.worker?.directory)
                let list = try JSONText(validating: ByteBuffer(string: #"[{"name":"new"}]"#))
                directory.upstreams[0].heard(.catalogue(of: "tools"), list)
                // Between an upstream's news and the end of the turn that brought them.
                #expect(directory.find("s.new", of: .tools)?.entry.ownName == "new")
                #expect(directory.find("s.t", of: .tools) == nil)
            }
            #expect(try await bench.post(Self.call("1", "s.new"), session: session).errorWord == nil)
        }
    }

    @Test func `beyond those that may wait for an upstream are told so`() async throws {
        try await SessionBench.with(away: ["s"], { $0.listWait = 3_600 }) { bench in
            let session = try await bench.open()
            for number in 0..<WaitingRoom.maximum {
                try await bench.post("waiting \(number)", Self.call("\(number)", "s.t"), session: session)
            }
            let answer = try await bench.post(Self.call("\"one more\"", "s.t"), session: session)
            #expect(answer.errorWord == "overloaded")
        }
    }

    @Test func `of a tool that is not there is refused here`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open()
            for (name, message) in [
                ("t", "Unknown tool 't'."), ("s.x", "Unknown tool 's.x'."), ("", "Unknown tool ''."),
            ] {
                let answer = try await bench.post(Self.call("4", name), session: session)
                #expect(answer.status == 200)
                #expect(answer.errorCode == -32602)
                #expect(answer.errorWord == "unknown_tool")
                #expect(answer.json.value("error")?.string("message") == message)
                #expect(answer.json.int("id") == 4)
            }
            for params in ["", #","params":{}"#, #","params":{"name":5}"#] {
                let answer = try await bench.post(
                    #"{"jsonrpc":"2.0","id":4,"method":"tools/call"\#(params)}"#, session: session
                )
                #expect(answer.errorCode == -32602)
            }
            try await bench.run { #expect($0.upstream().calls.isEmpty) }
        }
    }

    @Test func `has the tool's own patience where it has one`() async throws {
        try await SessionBench.with({ $0.upstreams[0].toolTimeouts = ["slow": 900] }) { bench in
            try await bench.publish(["t", "slow"])
            try await bench.run { $0.upstream().onCall = { $0.succeed() } }
            let session = try await bench.open()
            for name in ["s.t", "s.slow"] { _ = try await bench.post(Self.call("1", name), session: session) }
            try await bench.run { #expect($0.upstream().calls.map { $0.header.timeout } == [300_000, 900_000]) }
        }
    }

    @Test func `with an id that is still in flight is refused, and the first goes on`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open()
            let other = try await bench.open()
            try await bench.post("first", Self.call(#""a""#), session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            let second = try await bench.post(Self.call(#""\u0061""#), session: session)
            #expect(second.errorCode == -32600 && second.errorWord == "duplicate_id")
            try await bench.post("elsewhere", Self.call(#""a""#), session: other)
            try await bench.until { $0.upstream().calls.count == 2 }
            try await bench.run { scene in for index in 0..<2 { scene.upstream().call(index)?.succeed() } }
            #expect(try await bench.answer("first").errorCode == nil)
            #expect(try await bench.answer("elsewhere").errorCode == nil)
            try await bench.run { $0.upstream().onCall = { $0.succeed() } }
            #expect(try await bench.post(Self.call(#""a""#), session: session).errorCode == nil, "free again")
        }
    }

    @Test func `beyond what may be in flight is refused, and there is room again afterwards`() async throws {
        try await SessionBench.with({ $0.maximumInFlight = 1 }) { bench in
            try await bench.publish(["t"])
            let session = try await bench.open()
            try await bench.post("first", Self.call("1"), session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            let second = try await bench.post(Self.call("2"), session: session)
            #expect(second.errorCode == -32006 && second.errorWord == "overloaded")
            try await bench.run { $0.upstream().call(0)?.succeed() }
            _ = try await bench.answer("first")
            try await bench.run { $0.upstream().onCall = { $0.succeed() } }
            #expect(try await bench.post(Self.call("3"), session: session).errorCode == nil)
        }
    }

    @Test func `goes on when its client goes away`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open()
            try await bench.post("call", Self.call(), session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run { $0.client("call").exchange?.cancel(reason: "the client went away") }
            #expect(try await bench.post(#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#, session: session).status == 200)
            try await bench.run { scene in
                #expect(scene.upstream().call(0)?.failure == nil)
                scene.upstream().call(0)?.succeed()
            }
            try await bench.run { $0.upstream().onCall = { $0.succeed() } }
            #expect(try await bench.post(Self.call(), session: session).errorCode == nil, "its id is free again")
        }
    }

    @Test func `without an answer in time is cancelled upstream, progress granting more time`() async throws {
        try await SessionBench.with({ $0.upstreams[0].callTimeout = 100 }) { bench in
            try await bench.publish(["t"])
            let session = try await bench.open()
            try await bench.post("call", Self.call(), session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(60)) }
            try await bench.run { #expect(!$0.answer("call").isOver) }
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(106)) }
            let answer = try await bench.answer("call")
            #expect(answer.errorCode == -32005 && answer.errorWord == "timeout")
            try await bench.until { $0.upstream().call(0)?.failure == .cancelled(reason: "timeout") }
        }
    }

    @Test func `that the upstream's worker drops without a word of its own may have run`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open()
            try await bench.run { $0.upstream().onCall = { $0.exchange.cancel(reason: "stopping") } }
            let answer = try await bench.post(Self.call(), session: session)
            #expect(answer.errorCode == -32004 && answer.errorWord == "outcome_unknown")
            try await bench.run { $0.upstream().onCall = { $0.exchange.cancel(reason: "overloaded") } }
            #expect(try await bench.post(Self.call(), session: session).errorCode == -32006)
            try await bench.run { $0.upstream().onCall = { $0.exchange.end(header: .emptyObject) } }
            #expect(try await bench.post(Self.call(), session: session).errorCode == -32603)
        }
    }

    @Test func `with a large argument and a large answer passes whole`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let argument = String(repeating: "a", count: 3 << 20)
            try await bench.run { scene in
                scene.upstream().onCall = {
                    $0.succeed(#""\#($0.request.utf8.count)\#(String(repeating: "b", count: 5 << 20))""#)
                }
            }
            let answer = try await bench.post(
                Self.call(rest: #","arguments":"\#(argument)""#), session: try await bench.open()
            )
            #expect(answer.status == 200)
            #expect((answer.body?.utf8.count ?? 0) > 5 << 20)
            #expect(answer.json.string("result")?.hasSuffix("bbb") == true)
            try await bench.run { #expect($0.upstream().call(0)?.request.contains(argument) == true) }
        }
    }

    @Test func `of a tool that an upstream may yet list waits for the list, and then runs or is refused`() async throws
    {
        try await SessionBench.with(away: ["s"], { $0.listWait = 3_600 }) { bench in
            let session = try await bench.open()
            try await bench.post("call", Self.call("1"), session: session)
            try await bench.post("unknown", Self.call("2", "s.x"), session: session)
            #expect(try await bench.post(#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#, session: session).status == 200)
            try await bench.run { scene in
                #expect(!scene.answer("call").isOver && !scene.answer("unknown").isOver)
                scene.upstream().onCall = { $0.succeed() }
                scene.upstream().publish([#"{"name":"t"}"#])
            }
            try await bench.flatRun { $0.upstream().start() }
            #expect(try await bench.answer("call").errorCode == nil)
            #expect(try await bench.answer("unknown").errorWord == "unknown_tool")
            try await bench.run { #expect($0.upstream().calls.count == 1) }
        }
    }

    @Test func `that waits for its tool is over with its session, and then never runs`() async throws {
        try await SessionBench.with(away: ["s"], { $0.listWait = 3_600 }) { bench in
            let session = try await bench.open()
            let ending = try await bench.open()
            try await bench.post("kept", Self.call("2"), session: session)
            try await bench.post("ended", Self.call("1"), session: ending)
            #expect(try await bench.delete(session: ending).status == 204)
            #expect(try await bench.answer("ended").errorCode == -32800)
            try await bench.run { scene in
                scene.upstream().onCall = { $0.succeed() }
                scene.upstream().publish([#"{"name":"t"}"#])
            }
            try await bench.flatRun { $0.upstream().start() }
            #expect(try await bench.answer("kept").errorCode == nil)
            try await bench.run { #expect($0.upstream().calls.map(\.id) == ["2"]) }
        }
    }
}

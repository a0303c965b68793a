import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Resources and completion", .timeLimit(.minutes(2))) struct SessionResourceTests {
    private static func read(_ uri: String, id: Int = 1) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"resources/read","params":{"uri":"\#(uri)"}}"#
    }

    private static let found = #"{"contents":[{"uri":"a:1","text":"x"}]}"#
    private static let notFound = #"{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"Resource not found"}}"#

    /// Two servers: `one` lists `a:1`, `two` has the template `a:{x}`; both have resources.
    private static func with(
        _ adjust: (inout SessionConfiguration) -> Void = { _ in }, _ body: (SessionBench) async throws -> Void
    ) async throws {
        try await SessionBench.with(upstreams: ["one", "two"], adjust) { bench in
            try await bench.until { !$0.upstream("one").watches.isEmpty && !$0.upstream("two").watches.isEmpty }
            try await bench.run { scene in
                scene.upstream("one").publish([#"{"uri":"a:1","name":"x"}"#], of: .resources)
                scene.upstream("two").publish([#"{"uriTemplate":"a:{x}","name":"x"}"#], of: .templates)
                scene.upstream("two").publish([#"{"uri":"b:1","name":"y"}"#], of: .resources)
            }
            try await bench.until { scene in
                guard let upstreams = scene.worker?.directory.upstreams, upstreams.count == 2 else { return false }
                return upstreams[0].list(of: .resources) != nil && upstreams[1].list(of: .resources) != nil
                    && upstreams[1].list(of: .templates) != nil
            }
            try await body(bench)
        }
    }

    @Test func `a resource is read where it is listed`() async throws {
        try await Self.with { bench in
            let session = try await bench.open()
            try await bench.post("read", Self.read("a:1"), session: session)
            try await bench.until { $0.upstream("one").calls.count == 1 }
            try await bench.run { $0.upstream("one").call(0)?.succeed(Self.found) }
            #expect(try await bench.answer("read").json.value("result")?.description == Self.found)
            try await bench.run { #expect($0.upstream("two").calls.isEmpty) }
        }
    }

    @Test(arguments: [
        Self.notFound, #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Unknown resource a:1"}}"#,
        #"{"jsonrpc":"2.0","id":1,"result":{"contents":[]}}"#,
    ])
    func `who has not got it is followed by the next`(_ refusal: String) async throws {
        try await Self.with { bench in
            let session = try await bench.open()
            try await bench.post("read", Self.read("a:1"), session: session)
            try await bench.until { $0.upstream("one").calls.count == 1 }
            try await bench.run { $0.upstream("one").call(0)?.answer(refusal) }
            try await bench.until { $0.upstream("two").calls.count == 1 }
            try await bench.run { $0.upstream("two").call(0)?.succeed(Self.found) }
            #expect(try await bench.answer("read").json.value("result")?.description == Self.found)
        }
    }

    @Test func `nothing is an answer where nobody has more`() async throws {
        try await Self.with { bench in
            let session = try await bench.open()
            try await bench.post("read", Self.read("a:1"), session: session)
            try await bench.until { $0.upstream("one").calls.count == 1 }
            try await bench.run { $0.upstream("one").call(0)?.succeed(#"{"contents":[]}"#) }
            try await bench.until { $0.upstream("two").calls.count == 1 }
            try await bench.run { $0.upstream("two").call(0)?.answer(Self.notFound) }
            #expect(try await bench.answer("read").json.value("result")?.description == #"{"contents":[]}"#)
        }
    }

    @Test func `the last refusal is the answer`() async throws {
        try await Self.with { bench in
            let session = try await bench.open()
            try await bench.post("read", Self.read("a:2"), session: session)
            try await bench.until { $0.upstream("two").calls.count == 1 }
            try await bench.run { $0.upstream("two").call(0)?.answer(Self.notFound) }
            #expect(try await bench.answer("read").errorCode == -32002)
            try await bench.run { #expect($0.upstream("one").calls.isEmpty) }
        }
    }

    @Test func `what nobody can have is not found`() async throws {
        try await Self.with { bench in
            let answer = try await bench.post(Self.read("z:1"), session: try await bench.open())
            #expect(answer.errorCode == -32002)
            #expect(answer.errorWord == "unknown_resource")
        }
    }

    @Test(arguments: ["a:1", "A:1", "a:%31"])
    func `what a filter keeps back is read by nobody`(_ uri: String) async throws {
        try await Self.with { configuration in
            for index in configuration.upstreams.indices { configuration.upstreams[index].resources.deny = ["a:*"] }
        } _: { bench in
            let session = try await bench.open()
            #expect(try await bench.post(Self.read(uri), session: session).errorCode == -32002)
            let subscribe = #"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"\#(uri)"}}"#
            #expect(try await bench.post(subscribe, session: session).errorCode == -32002)
            try await bench.run { #expect($0.upstream("one").calls.isEmpty && $0.upstream("two").calls.isEmpty) }
        }
    }

    @Test func `what a result has named is read where it came from, by that session`() async throws {
        try await Self.with { bench in
            try await bench.publish(["t"], by: "one")
            let session = try await bench.open()
            let call = #"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"one.t"}}"#
            try await bench.post("call", call, session: session)
            try await bench.until { $0.upstream("one").calls.count == 1 }
            try await bench.run {
                $0.upstream("one").call(0)?.succeed(
                    #"{"content":[{"type":"resource_link","uri":"c:9","name":"c"}]}"#)
            }
            _ = try await bench.answer("call")
            try await bench.post("read", Self.read("c:9"), session: session)
            try await bench.until { $0.upstream("one").calls.count == 2 }
            try await bench.run { $0.upstream("one").call(1)?.succeed(Self.found) }
            #expect(try await bench.answer("read").json.value("result") != nil)
            let other = try await bench.open()
            #expect(try await bench.post(Self.read("c:9"), session: other).errorCode == -32002)
        }
    }

    @Test func `what a directory has in it is read where that came from`() async throws {
        try await Self.with { bench in
            let session = try await bench.open()
            try await bench.post("read", Self.read("a:1"), session: session)
            try await bench.until { $0.upstream("one").calls.count == 1 }
            try await bench.run {
                $0.upstream("one").call(0)?.succeed(#"{"contents":[{"uri":"c:9","text":"x"}]}"#)
            }
            _ = try await bench.answer("read")
            try await bench.post("part", Self.read("c:9"), session: session)
            try await bench.until { $0.upstream("one").calls.count == 2 }
            try await bench.run { $0.upstream("one").call(1)?.succeed(Self.found) }
            #expect(try await bench.answer("part").json.value("result") != nil)
        }
    }

    @Test func `who has it is asked though the one before was lost and asked a second time`() async throws {
        try await Self.with { bench in
            let session = try await bench.open()
            try await bench.post("read", Self.read("a:1"), session: session)
            try await bench.until { $0.upstream("one").calls.count == 1 }
            try await bench.run { $0.upstream("one").die() }
            try await bench.until { $0.worker?.directory.upstreams[0].isConnected == false }
            try await bench.flatRun { $0.upstream("one").start() }
            try await bench.until { $0.upstream("one").calls.count == 2 }
            try await bench.run { $0.upstream("one").call(1)?.answer(Self.notFound) }
            try await bench.until { $0.upstream("two").calls.count == 1 }
            try await bench.run { $0.upstream("two").call(0)?.succeed(Self.found) }
            #expect(try await bench.answer("read").json.value("result")?.description == Self.found)
        }
    }

    // MARK: Completion

    @Test func `a prompt's completion reaches its server under the name that it knows`() async throws {
        try await Self.with { bench in
            try await bench.run { scene in
                scene.upstream("one").capabilities.insert("completions")
                scene.upstream("one").publish([#"{"name":"p"}"#], of: .prompts)
            }
            try await bench.until { $0.worker?.directory.section(.prompts).entries.count == 1 }
            let request =
                #"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"one.p"},"argument":{"name":"a","value":""}}}"#
            try await bench.post("complete", request, session: try await bench.open())
            try await bench.until { $0.upstream("one").calls.count == 1 }
            try await bench.run { scene in
                #expect(scene.upstream("one").call(0)?.header.name?.description == #""p""#)
                scene.upstream("one").call(0)?.succeed(#"{"completion":{"values":["v"]}}"#)
            }
            #expect(try await bench.answer("complete").json.value("result")?.value("completion") != nil)
        }
    }

    @Test func `a server without completions need not be asked`() async throws {
        try await Self.with { bench in
            let request =
                #"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"a:{x}"},"argument":{"name":"x","value":""}}}"#
            let answer = try await bench.post(request, session: try await bench.open())
            let empty = #"{"completion":{"values":[],"hasMore":false}}"#
            #expect(answer.json.value("result")?.description == empty)
        }
    }

    @Test(arguments: [
        (#"{"type":"ref/prompt","name":"one.none"}"#, -32602), (#"{"type":"ref/resource","uri":"z:{x}"}"#, -32002),
        (#"{"type":"ref/other"}"#, -32602), (#"[]"#, -32602), (#"{"type":"ref/prompt"}"#, -32602),
        (#"{"type":"ref/resource","uri":"a:{x}","uri":"z:{x}"}"#, -32602),
        (#"{"type":"ref/resource","uri":"a:{x}","\u0075ri":"z:{x}"}"#, -32602),
        (#"{"type":"ref/resource","uri":"a:{x}"},"ref":{"type":"ref/resource","uri":"z:{x}"}"#, -32602),
    ])
    func `a reference to nothing is refused`(_ reference: String, _ code: Int) async throws {
        try await Self.with { bench in
            let request =
                #"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":\#(reference),"argument":{"name":"x","value":""}}}"#
            let session = try await bench.open()
            #expect(try await bench.post(request, session: session).errorCode == code)
        }
    }
}

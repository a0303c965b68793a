import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

/// Whose a URI is, where servers disagree or say it in other places than their lists.
@Suite("Whose a URI is", .timeLimit(.minutes(2))) struct SessionOwnershipTests {
    private static let note = #"{"uri":"a:1","name":"x"}"#
    /// Not in its one spelling, and not to be brought into it.
    private static let odd = "ui://Card/%7emain/../x?q=%2f#F"

    private static func read(_ uri: String) -> String {
        #"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"\#(uri)"}}"#
    }

    private static func with(
        _ lists: [String: [Offering: [String]]], _ adjust: (inout SessionConfiguration) -> Void = { _ in },
        _ body: (SessionBench) async throws -> Void
    ) async throws {
        let names = ["one", "two"]
        try await SessionBench.with(upstreams: names, adjust) { bench in
            try await bench.until { scene in names.allSatisfy { !scene.upstream($0).watches.isEmpty } }
            try await bench.run { scene in
                for name in names {
                    scene.upstream(name).onCall = { $0.succeed(#"{"contents":[{"uri":"x:1","text":"\#(name)"}]}"#) }
                    for (offering, entries) in lists[name] ?? [:] {
                        scene.upstream(name).publish(entries, of: offering)
                    }
                }
            }
            try await bench.until { scene in
                guard let upstreams = scene.worker?.directory.upstreams, upstreams.count == 2 else { return false }
                return upstreams.allSatisfy { upstream in
                    (lists[upstream.route.name] ?? [:]).keys.allSatisfy { upstream.list(of: $0)?.isEmpty == false }
                }
            }
            try await body(bench)
        }
    }

    private static func text(_ answer: Answer) -> String? {
        var text: String?
        guard let contents = answer.json.value("result")?.value("contents") else { return nil }
        contents.elements { text = contents[$0].string("text") }
        return text
    }

    @Test func `one that two list is the first one's, and the status tells of it`() async throws {
        let lists: [String: [Offering: [String]]] = [
            "one": [.resources: [Self.note]], "two": [.resources: [Self.note]],
        ]
        try await Self.with(lists) { bench in
            let session = try await bench.open()
            #expect(Self.text(try await bench.post(Self.read("a:1"), session: session)) == "one")
            try await bench.run { $0.worker?.keepHouse() }
            let told = #"{"name":"a:1","of":"resources","kept":"one","refused":"two"}"#
            try await bench.until { $0.statuses.contains { $0.contains(told) } }
        }
    }

    @Test func `one that a filter hides at the first is the second one's`() async throws {
        let lists: [String: [Offering: [String]]] = [
            "one": [.resources: [Self.note]], "two": [.resources: [Self.note]],
        ]
        try await Self.with(lists, { $0.upstreams[0].resources.deny = ["a:*"] }) { bench in
            let session = try await bench.open()
            #expect(Self.text(try await bench.post(Self.read("a:1"), session: session)) == "two")
            try await bench.run { #expect($0.worker?.directory.collisions.isEmpty == true) }
        }
    }

    @Test func `one that a tool shows as its page is that server's, before any template's`() async throws {
        let tool = #"{"name":"t","inputSchema":{"type":"object"},"_meta":{"ui":{"resourceUri":"ui://page"}}}"#
        let lists: [String: [Offering: [String]]] = [
            "one": [.templates: [#"{"uriTemplate":"ui://{+any}","name":"x"}"#]],
            "two": [.tools: [tool], .resources: [#"{"uri":"b:1","name":"y"}"#]],
        ]
        try await Self.with(lists) { bench in
            let session = try await bench.open()
            #expect(Self.text(try await bench.post(Self.read("ui://page"), session: session)) == "two")
            #expect(Self.text(try await bench.post(Self.read("ui://other"), session: session)) == "one")
        }
    }

    @Test func `one is compared and passed on as it is written, and never brought into another form`() async throws {
        let lists: [String: [Offering: [String]]] = [
            "one": [.resources: [Self.note]], "two": [.resources: [#"{"uri":"\#(Self.odd)","name":"y"}"#]],
        ]
        try await Self.with(lists) { bench in
            let session = try await bench.open()
            let list = #"{"jsonrpc":"2.0","id":1,"method":"resources/list"}"#
            #expect(try await bench.post(list, session: session).body?.contains(#""uri":"\#(Self.odd)""#) == true)
            #expect(Self.text(try await bench.post(Self.read(Self.odd), session: session)) == "two")
            try await bench.run { #expect($0.upstream("two").calls.map(\.request) == [Self.read(Self.odd)]) }
            // The same by RFC 3986, and another one here.
            let normalised = try #require(ResourceURI.normalised(Self.odd))
            #expect(normalised != Self.odd)
            #expect(try await bench.post(Self.read(normalised), session: session).errorWord == "unknown_resource")
        }
    }
}

/// What comes in storms is told once.
@Suite("Storms of changes", .timeLimit(.minutes(2))) struct SessionStormTests {
    @Test(arguments: [Offering.tools, .prompts, .resources])
    func `a list that changes again and again while nobody reads is one word for each session`(
        offering: Offering
    ) async throws {
        let changed = try #require(offering.changed)
        try await SessionBench.with { bench in
            try await bench.until { !$0.upstream().watches.isEmpty }
            let session = try await bench.open()
            // From here on it is in memory, and owed each word that it has not been told.
            _ = try await bench.names(session: session)
            for number in 1...1_000 {
                try await bench.run {
                    $0.upstream().publish(
                        [
                            #"{"\#(offering.identity.string)":"a:\#(number)","name":"n\#(number)"}"#.replacing(
                                #""name":"a:\#(number)","#, with: "")
                        ], of: offering)
                }
            }
            // Nobody tells a test what the directory has heard: it is looked at after one request and the next.
            var hasCome = false
            for _ in 0..<10_000 where !hasCome {
                _ = try await bench.post(#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#, session: session)
                hasCome = try await bench.value { scene in
                    scene.worker?.directory.section(offering).entries.first?.ownName.hasSuffix("1000") == true
                }
            }
            #expect(hasCome)
            try await bench.get("get", session: session)
            let told: @Sendable (Scene) -> Int = { scene in
                scene.answer("get").events.filter { $0.body?.contains(changed) == true }.count
            }
            try await bench.until { told($0) > 0 }
            _ = try await bench.names(session: session)
            try await bench.run { #expect(told($0) == 1) }
        }
    }
}

import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

/// Kinds of things, methods and faults that MCP does not have, served because a table says so.
@Suite("One more row in a table", .timeLimit(.minutes(2))) struct SessionTablesTests {
    private static let noWidget = Fault("no_widget", -32050, 200, "There is no widget '{name}' here.")
    private static let jammed = Fault("widget_jammed", -32051, 200, "The widget is jammed; nothing moved.", .didNotRun)

    private static let widgets = Offering(
        name: "widgets", listMethod: "widgets/list", identity: "name", changed: "notifications/widgets/list_changed",
        capability: "widgets", isRenamed: true, unknown: Self.noWidget
    )
    /// Known by a member of their own, not renamed, and without a notification of their own.
    private static let cogs = Offering(
        name: "cogs", listMethod: "cogs/list", identity: "serial", changed: nil, capability: "widgets", isRenamed: false
    )
    private static let tables = SessionTables(
        methods: MethodTable(
            MethodTable.methods + [
                Method("widgets/list", .list(Self.widgets), onlyReads: true),
                Method("widgets/turn", .entry(Self.widgets), onlyReads: false),
                Method("widgets/look", .entry(Self.widgets), onlyReads: true),
                Method("cogs/list", .list(Self.cogs), onlyReads: true),
                Method("cogs/turn", .entry(Self.cogs), onlyReads: false),
                Method("cogs/later", .entry(Self.cogs), onlyReads: false, eras: .stateless),
            ]),
        offerings: [.tools, Self.widgets, Self.cogs], faults: FaultTable.all + [Self.noWidget, Self.jammed]
    )

    private static func request(_ method: String, _ params: String = "{}", id: Int = 1) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#
    }

    private func withWidgets(_ body: (SessionBench, String) async throws -> Void) async throws {
        try await SessionBench.with(tables: Self.tables) { bench in
            try await bench.publish(["t"])
            try await bench.run { scene in
                scene.upstream().publish([#"{"name":"w","size":1.0}"#], of: Self.widgets)
                scene.upstream().publish([#"{"serial":"c:1","name":"n"}"#], of: Self.cogs)
            }
            try await bench.until { $0.worker?.directory.find("c:1", of: Self.cogs) != nil }
            try await body(bench, try await bench.open())
        }
    }

    @Test func `is listed, under the server's name or as it is`() async throws {
        try await self.withWidgets { bench, session in
            let widgets = try await bench.post(Self.request("widgets/list"), session: session)
            #expect(widgets.json.value("result")?.description == #"{"widgets":[{"name":"s.w","size":1.0}]}"#)
            let safe = try await bench.post(Self.request("widgets/list"), session: session, names: "safe")
            #expect(safe.json.value("result")?.description == #"{"widgets":[{"name":"s__w","size":1.0}]}"#)
            let cogs = try await bench.post(Self.request("cogs/list"), session: session)
            #expect(cogs.json.value("result")?.description == #"{"cogs":[{"serial":"c:1","name":"n"}]}"#)
            #expect(try await bench.names(session: session) == ["s.t"])
        }
    }

    @Test func `is told to clients as a capability`() async throws {
        try await self.withWidgets { bench, _ in
            let answer = try await bench.post(SessionBench.initialize, session: nil)
            #expect(
                answer.json.value("result")?.value("capabilities")?.description
                    == #"{"logging":{},"tools":{"listChanged":true},"widgets":{"listChanged":true}}"#
            )
        }
    }

    @Test func `is called where it is, by its own name`() async throws {
        try await self.withWidgets { bench, session in
            try await bench.run { $0.upstream().onCall = { $0.succeed() } }
            let turn = Self.request("widgets/turn", #"{"name":"s.w"}"#)
            #expect(try await bench.post(turn, session: session).errorWord == nil)
            let cog = Self.request("cogs/turn", #"{"serial":"c:1"}"#)
            #expect(try await bench.post(cog, session: session).errorWord == nil)
            try await bench.run { scene in
                #expect(scene.upstream().calls.map(\.request) == [turn, cog])
                #expect(scene.upstream().calls.map { $0.header.name?.description } == [#""w""#, nil])
            }
        }
    }

    @Test func `refuses what is not there with the fault that its row names`() async throws {
        try await self.withWidgets { bench, session in
            let widget = try await bench.post(Self.request("widgets/turn", #"{"name":"s.x"}"#), session: session)
            #expect(widget.errorCode == -32050 && widget.errorWord == "no_widget")
            #expect(widget.json.value("error")?.string("message") == "There is no widget 's.x' here.")
            let cog = try await bench.post(Self.request("cogs/turn", #"{"serial":"c:2"}"#), session: session)
            #expect(cog.errorCode == -32602 && cog.errorWord == "invalid_params")
            #expect(cog.json.value("error")?.string("message") == "Unknown cog 'c:2'.")
            let nameless = try await bench.post(Self.request("cogs/turn", #"{"name":"c:1"}"#), session: session)
            #expect(nameless.json.value("error")?.string("message") == "serial is required")
            let later = try await bench.post(Self.request("cogs/later", #"{"serial":"c:1"}"#), session: session)
            #expect(later.errorWord == "method_not_found")
            try await bench.run { #expect($0.upstream().calls.isEmpty) }
        }
    }

    @Test func `tells that its list has changed, and no other's`() async throws {
        try await self.withWidgets { bench, session in
            try await bench.get("get", session: session)
            try await bench.until { $0.answer("get").isStreaming }
            let before = try await bench.value { $0.answer("get").events.count }
            let changed = #"{"jsonrpc":"2.0","method":"notifications/widgets/list_changed"}"#
            try await bench.run { $0.upstream().publish([#"{"name":"v"}"#], of: Self.widgets) }
            try await bench.until { $0.answer("get").events.count == before + 1 }
            try await bench.run { $0.upstream().publish([#"{"serial":"c:9"}"#], of: Self.cogs) }
            try await bench.until { $0.answer("get").events.count == before + 2 }
            // The same once more is no change.
            try await bench.run { $0.upstream().publish([#"{"serial":"c:9"}"#], of: Self.cogs) }
            #expect(try await bench.names(session: session) == ["s.t"])
            try await bench.run { scene in
                #expect(scene.answer("get").events.dropFirst(before).map(\.body) == [changed, changed])
            }
        }
    }

    @Test func `owes a change of each list to a client that did not listen`() async throws {
        try await self.withWidgets { bench, session in
            #expect(try await bench.names(session: session) == ["s.t"])
            try await bench.run { scene in
                scene.upstream().publish([#"{"name":"v"}"#], of: Self.widgets)
                scene.upstream().publish([#"{"name":"u"}"#])
            }
            try await bench.until { $0.worker?.directory.find("s.u", of: .tools) != nil }
            try await bench.get("get", session: session)
            try await bench.until { $0.answer("get").events.count == 2 }
            try await bench.run { scene in
                let methods = scene.answer("get").events.compactMap(\.body).map { body in
                    (try? JSONText(validating: ByteBuffer(string: body)))?.string("method") ?? "?"
                }
                #expect(
                    methods.sorted() == ["notifications/tools/list_changed", "notifications/widgets/list_changed"])
            }
        }
    }

    @Test func `waits for its own list alone`() async throws {
        try await SessionBench.with(tables: Self.tables, { $0.listWait = 3_600 }) { bench in
            let session = try await bench.open()
            try await bench.until { !$0.upstream().watches.isEmpty }
            try await bench.run { scene in
                scene.upstream().capabilities = ["tools", "widgets"]
                scene.upstream().publish([#"{"name":"t"}"#])
            }
            #expect(try await bench.names(session: session) == ["s.t"])
            try await bench.post("list", Self.request("widgets/list"), session: session)
            try await bench.post("turn", Self.request("widgets/turn", #"{"name":"s.w"}"#, id: 2), session: session)
            #expect(try await bench.names(session: session) == ["s.t"])
            try await bench.run { scene in
                #expect(!scene.answer("list").isOver && !scene.answer("turn").isOver)
                scene.upstream().onCall = { $0.succeed() }
                scene.upstream().publish([#"{"name":"w"}"#], of: Self.widgets)
            }
            let list = try await bench.answer("list")
            #expect(list.json.value("result")?.description == #"{"widgets":[{"name":"s.w"}]}"#)
            #expect(try await bench.answer("turn").errorWord == nil)
        }
    }

    @Test func `is not waited for where the server says that it has none`() async throws {
        try await SessionBench.with(tables: Self.tables, { $0.listWait = 3_600 }) { bench in
            let session = try await bench.open()
            try await bench.post("list", Self.request("widgets/list"), session: session)
            try await bench.until { !$0.upstream().watches.isEmpty }
            try await bench.run { $0.upstream().tellIdentity() }
            #expect(try await bench.answer("list").json.value("result")?.description == #"{"widgets":[]}"#)
        }
    }

    @Test func `is warm in the next life`() async throws {
        try await self.withWidgets { bench, session in
            try await bench.run { $0.upstream().die() }
            try await bench.restartWorker()
            let widgets = try await bench.post(Self.request("widgets/list"), session: session)
            #expect(widgets.body?.contains(#""name": "s.w""#) == true)
            #expect(bench.folder.read("tools-cache.json")?.contains(#""widgetsByUpstream""#) == true)
        }
    }

    @Test func `is counted in the status`() async throws {
        try await self.withWidgets { bench, _ in
            try await bench.run { $0.worker?.keepHouse() }
            try await bench.until { $0.statuses.last?.contains(#""widgets":1,"widgetCounts":{"s":1}"#) == true }
        }
    }

    @Test func `that only reads is sent again when a worker died with it, any other is not`() async throws {
        try await self.withWidgets { bench, session in
            try await bench.post("look", Self.request("widgets/look", #"{"name":"s.w"}"#, id: 1), session: session)
            try await bench.post("turn", Self.request("widgets/turn", #"{"name":"s.w"}"#, id: 2), session: session)
            try await bench.until { $0.upstream().calls.count == 2 }
            try await bench.run { $0.upstream().die() }
            try await bench.flatRun { $0.upstream().start() }
            #expect(try await bench.answer("turn").errorWord == "outcome_unknown")
            try await bench.until { $0.upstream().calls.count == 3 }
            try await bench.run { $0.upstream().call(2)?.succeed() }
            #expect(try await bench.answer("look").errorWord == nil)
        }
    }

    @Test(arguments: [("widget_jammed", "outcome_unknown"), ("unheard_of", "unheard_of")])
    func `of a fault is believed about whether it ran, but not of a second attempt`(
        word: String, second: String
    ) async throws {
        try await self.withWidgets { bench, session in
            let look = Self.request("widgets/look", #"{"name":"s.w"}"#)
            try await bench.run { $0.upstream().onCall = { $0.fail(word) } }
            try await bench.post("first", look, session: session)
            #expect(try await bench.answer("first").errorCode == -32000, "as the worker said")
            try await bench.run { $0.upstream().onCall = nil }
            try await bench.post("second", look, session: session)
            try await bench.until { $0.upstream().calls.count == 2 }
            try await bench.run { scene in
                scene.upstream().die()
                scene.upstream().onCall = { $0.fail(word) }
            }
            try await bench.flatRun { $0.upstream().start() }
            let answer = try await bench.answer("second")
            #expect(answer.errorWord == (second == word ? nil : second))
        }
    }

    @Test func `is answered by the bridge itself`() async throws {
        var tables = SessionTables(
            methods: MethodTable(
                MethodTable.methods + [
                    Method("widgets/count", .bridge, onlyReads: true), Method("widgets/lost", .bridge, onlyReads: true),
                ]))
        tables.answers["widgets/count"] = { request, context in
            request.succeed(JSONWriter.object { $0.member("inUse", context.sessions.countInUse) })
        }
        try await SessionBench.with(tables: tables) { bench in
            let session = try await bench.open()
            let answer = try await bench.post(Self.request("widgets/count"), session: session)
            #expect(answer.json.value("result")?.description == #"{"inUse":1}"#)
            let lost = try await bench.post(Self.request("widgets/lost"), session: session)
            #expect(lost.errorWord == "method_not_found")
        }
    }

    @Test func `has its function where the bridge answers it`() {
        let own = MethodTable.methods.filter { $0.target == .bridge && $0.eras.contains(.handshake) }.map(\.name)
        #expect(Set(own) == Set(SessionTables.standard.answers.keys))
    }

    @Test func `that is missing is a method that nobody knows`() async throws {
        // With two servers nobody can say whose it is.
        try await SessionBench.with(upstreams: ["s", "t"]) { bench in
            try await bench.publish(["t"])
            try await bench.run { $0.upstream("s").publish([#"{"name":"w"}"#], of: Self.widgets) }
            let session = try await bench.open()
            let answer = try await bench.post(Self.request("widgets/list"), session: session)
            #expect(answer.errorWord == "method_not_found")
        }
    }
}

import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Tools of a program that was replaced", .timeLimit(.minutes(2))) struct SessionProgramTests {
    private static let list = #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#

    @Test func `are not listed any more, and a list waits for those of the new one`() async throws {
        try await SessionBench.with({ $0.listWait = 3_600 }) { bench in
            try await bench.publish(["old"])
            let session = try await bench.open()
            var other = bench.configuration
            other.upstreams[0].program = "another"
            let next = other
            try await bench.run { $0.worker?.reconfigure(next) }
            try await bench.post("list", Self.list, session: session)
            try await bench.run { scene in
                #expect(!scene.answer("list").isOver)
                scene.upstream().publish([#"{"name":"new"}"#])
            }
            #expect(SessionBench.names(in: try await bench.answer("list")) == ["s.new"])
        }
    }

    @Test func `stay when something else of the configuration changed`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["old"])
            var other = bench.configuration
            other.upstreams[0].callTimeout = 1
            let next = other
            try await bench.run { $0.worker?.reconfigure(next) }
            let listed = try await bench.names(session: try await bench.open())
            #expect(listed == ["s.old"])
        }
    }

    @Test(arguments: [("this", ["s.t"]), ("another", [])])
    func `are not taken from the cache either`(program: String, names: [String]) async throws {
        let cache = #"{"toolsByUpstream":{"s":[{"name":"t"}]},"programsByUpstream":{"s":"this"}}"#
        try await SessionBench.with(away: ["s"], cache: cache, { $0.upstreams[0].program = program }) { bench in
            let listed = try await bench.names(session: try await bench.open())
            #expect(listed == names)
        }
    }

    @Test func `of a cache without programs are taken, and the next one names them`() async throws {
        let cache = #"{"toolsByUpstream":{"s":[{"name":"t"}]}}"#
        try await SessionBench.with(cache: cache, { $0.upstreams[0].program = "this" }) { bench in
            let listed = try await bench.names(session: try await bench.open())
            #expect(listed == ["s.t"])
            try await bench.publish(["t", "u"])
            try await bench.restartWorker()
            let file = ByteBuffer(string: bench.folder.read("tools-cache.json") ?? "")
            let written = CatalogueCache(parsing: file, of: [.tools])
            #expect(written.entries(of: .tools, by: "s", program: "this")?.count == 2)
            #expect(written.entries(of: .tools, by: "s", program: "another") == nil)
        }
    }
}

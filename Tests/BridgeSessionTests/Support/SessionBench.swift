import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import BridgeSession

/// Runs a test's steps on the event loop of its ``Scene``.
struct SessionBench: Sendable {
    let loop: any EventLoop
    let folder: TemporaryFolder
    let configuration: SessionConfiguration
    private let scene: NIOLoopBound<Scene>

    static let key = SessionSeal.makeKey()

    /// Sets a scene with upstreams of these names, and takes it down after `body`. The upstreams serve from the start,
    /// but for those that are told to begin `away`; they have no tools until some are published.
    static func with(
        upstreams: [String] = ["s"],
        away: Set<String> = [],
        cache: String? = nil,
        tables: SessionTables = .standard,
        ledger: SessionLedger = SessionLedger(),
        _ adjust: (inout SessionConfiguration) -> Void = { _ in },
        _ body: (SessionBench) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let session = try ListeningSocket(path: folder.file("session.sock"))
        let sockets = try upstreams.map { try ListeningSocket(path: folder.file($0)) }
        var configuration = SessionConfiguration(
            upstreams: upstreams.map { UpstreamRoute(name: $0, socket: folder.file($0)) },
            listWait: 0, toolCachePath: folder.file("tools-cache.json"),
            sessionJournalPath: folder.file("sessions.journal"),
            sealingKey: Secret(Self.key), serverVersion: "1.2.3"
        )
        adjust(&configuration)
        if let cache { try folder.write(cache, to: "tools-cache.json") }
        let bench = SessionBench(
            loop: loop, folder: folder, configuration: configuration,
            scene: try await loop.submit {
                NIOLoopBound(Scene(loop: loop, folder: folder, socket: session, upstreams: sockets), eventLoop: loop)
            }.get()
        )
        do {
            for name in upstreams where !away.contains(name) { try await bench.flatRun { $0.upstream(name).start() } }
            let started = configuration
            try await bench.flatRun { scene in
                scene.tables = tables
                scene.ledger = ledger
                return scene.startWorker(started)
            }
            try await bench.run { $0.startFront() }
            try await bench.until { $0.timesConnected == 1 }
            try await body(bench)
        } catch {
            try await bench.flatRun { $0.close() }
            try await group.shutdownGracefully()
            throw error
        }
        try await bench.flatRun { $0.close() }
        try await group.shutdownGracefully()
    }

    func run(_ body: @escaping @Sendable (Scene) throws -> Void) async throws {
        let scene = self.scene
        try await self.loop.submit { try body(scene.value) }.get()
    }

    func value<Value: Sendable>(_ body: @escaping @Sendable (Scene) throws -> Value) async throws -> Value {
        let scene = self.scene
        return try await self.loop.submit { try body(scene.value) }.get()
    }

    func flatRun(_ body: @escaping @Sendable (Scene) -> EventLoopFuture<Void>) async throws {
        let scene = self.scene
        try await self.loop.flatSubmit { body(scene.value) }.get()
    }

    func until(_ predicate: @escaping @Sendable (Scene) -> Bool) async throws {
        let scene = self.scene
        try await self.loop.flatSubmit { scene.value.until(predicate) }.get()
    }

    /// The session worker's process ends and the next one takes its place, over the same files and socket.
    func restartWorker(_ configuration: SessionConfiguration? = nil) async throws {
        let next = configuration ?? self.configuration
        let links = try await self.value { $0.timesConnected }
        try await self.flatRun { $0.stopWorker() }
        try await self.flatRun { $0.startWorker(next) }
        try await self.until { $0.timesConnected > links }
    }

    // MARK: What a client does

    static let initialize =
        #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#

    /// A new session's id.
    func open(
        version: String = "2025-11-25", client: String = "test", principal: String = "local"
    ) async throws -> String {
        let body = Self.initialize.replacing("2025-11-25", with: version).replacing(#""test""#, with: #""\#(client)""#)
        let answer = try await self.post(body, session: nil, principal: principal)
        return try #require(answer.session)
    }

    /// Sends a request and waits for all of its answer.
    func post(
        _ body: String, session: String?, principal: String = "local", names: String? = nil
    ) async throws -> Answer {
        try await self.post("ad hoc", body, session: session, principal: principal, names: names)
        return try await self.answer("ad hoc")
    }

    /// Sends a request and leaves it to the test to wait, by this name.
    func post(
        _ name: String, _ body: String, session: String?, principal: String = "local", names: String? = nil
    ) async throws {
        try await self.run {
            $0.request(name, .post, body: body, session: session, principal: principal, names: names)
        }
    }

    func get(_ name: String, session: String?, lastEvent: String? = nil, principal: String = "local") async throws {
        try await self.run {
            $0.request(name, .get, session: session, principal: principal, lastEvent: lastEvent)
        }
    }

    func delete(session: String?, principal: String = "local") async throws -> Answer {
        try await self.run { $0.request("delete", .delete, session: session, principal: principal) }
        return try await self.answer("delete")
    }

    func answer(_ name: String) async throws -> Answer {
        try await self.until { $0.answer(name).isOver }
        return try await self.value { scene in
            #expect(scene.client(name).violations.isEmpty)
            return scene.answer(name)
        }
    }

    /// Makes the upstream list these names, and waits until the session worker knows.
    func publish(_ tools: [String], by name: String = "s") async throws {
        let texts = tools.map { #"{"name":"\#($0)"}"# }
        try await self.until { !$0.upstream(name).watches.isEmpty }
        try await self.run { $0.upstream(name).publish(texts) }
        // The list is answered once the merged catalogue has them.
        let session = try await self.open()
        for _ in 0..<10_000 {
            let listed = try await self.names(session: session)
            if tools.allSatisfy({ tool in listed.contains { $0 == tool || $0.hasSuffix("." + tool) } }) { return }
        }
        Issue.record("the catalogue never had \(tools)")
    }

    /// The names that `tools/list` shows.
    func names(session: String, names: String? = nil) async throws -> [String] {
        let answer = try await self.post(
            #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, session: session, names: names)
        return Self.names(in: answer)
    }

    static func names(in answer: Answer) -> [String] {
        var names: [String] = []
        if let tools = answer.json.value("result")?.value("tools") {
            tools.elements { names.append(tools[$0].string("name") ?? "?") }
        }
        return names
    }
}

extension SessionStore {
    /// What is in memory of the session with this number.
    func live(_ number: UInt64) -> LiveSession? { self.all.first { $0.number == number } }
    var countLive: Int { self.all.reduce(0) { count, _ in count + 1 } }
}

extension TemporaryFolder {
    func write(_ text: String, to name: String) throws {
        guard let file = fopen(self.file(name), "w") else { throw SystemError("fopen") }
        fwrite(Array(text.utf8), 1, text.utf8.count, file)
        fclose(file)
    }

    func read(_ name: String) -> String? {
        guard let file = fopen(self.file(name), "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = fgetc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The permission bits of a file.
    func mode(_ name: String) -> UInt32? {
        var status = stat()
        guard stat(self.file(name), &status) == 0 else { return nil }
        return status.st_mode & 0o777
    }
}

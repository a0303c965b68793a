import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeProcess
import Foundation
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import BridgeUpstream

/// Every test with processes. One at a time: a worker ends all processes below its own, and here they share one.
@Suite(.serialized, .timeLimit(.minutes(1))) struct LiveTests {}

/// An upstream worker with a fake server below it, a fake supervisor, and the test itself as its session worker.
final class WorkerBench: Sendable {
    enum Event: Sendable {
        case state(JSONText)
        case identity(JSONText)
        case catalogue(String, JSONText)
        case note(JSONText)
    }

    struct LogLine: Sendable {
        let level: String
        let message: String
        let metadata: [String: String]
    }

    private static let processes = Result { try ProcessThread.start(logger: Logger(label: "processes")) }

    let configuration: UpstreamConfiguration
    let folder: URL
    let loop: any EventLoop
    let worker: UpstreamWorker
    /// What watchers are told.
    let events = EventLog<Event>()
    /// What the supervisor is told.
    let statuses = EventLog<JSONText>()
    let log: EventLog<LogLine>
    private let dialer: NIOLoopBound<LinkDialer>
    private let supervisor: NIOLoopBound<LinkConnection>

    /// - Parameters:
    ///   - mode: what is wrong with the server from its start.
    ///   - body: runs once the worker says that it is ready. The worker is stopped behind it.
    static func run(
        mode: String = "",
        configure: (inout UpstreamConfiguration) -> Void = { _ in },
        _ body: @Sendable (WorkerBench) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "upstream-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = folder.appending(path: "server.py").path
        try FakeServer.script.write(toFile: script, atomically: true, encoding: .utf8)
        var configuration = UpstreamConfiguration(
            name: "fake",
            transport: .stdio(
                StdioLaunch(
                    command: "python3", arguments: ["-u", script],
                    environment: [
                        "PATH": Secret("/usr/bin:/bin"), "MODE": Secret(mode),
                        "JOURNAL": Secret(folder.appending(path: "journal").path),
                        "PYTHONDONTWRITEBYTECODE": Secret("1"),
                    ]
                )
            ),
            version: "0"
        )
        configure(&configuration)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let bench = try await WorkerBench(configuration, folder, group.next())
            try await bench.serve(body)
            try await group.shutdownGracefully()
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
    }

    private init(_ configuration: UpstreamConfiguration, _ folder: URL, _ loop: any EventLoop) async throws {
        let processes = try Self.processes.get()
        let listener = try UnixListener.bind(path: folder.appending(path: "s").path, mode: 0o600)
        let pair = try SocketPair.make()
        let log = EventLog<LogLine>()
        var logger = Logger(label: "upstream") { _ in CollectingHandler(log: log) }
        logger.logLevel = .debug
        let made = try await loop.flatSubmit { [logger] in
            Self.adopt(pair.first, on: loop, first: true).and(Self.adopt(pair.second, on: loop, first: false)).map {
                supervisor, control in
                let worker = UpstreamWorker(
                    configuration: configuration, listener: listener, processes: processes, loop: loop,
                    control: control.value, logger: logger
                )
                let dialer = LinkDialer(path: folder.appending(path: "s").path, loop: loop, logger: logger)
                return (supervisor, worker, NIOLoopBound(dialer, eventLoop: loop))
            }
        }.get()
        (self.supervisor, self.worker, self.dialer) = made
        self.configuration = configuration
        self.folder = folder
        self.loop = loop
        self.log = log
    }

    private static func adopt(_ descriptor: Int32, on loop: any EventLoop, first: Bool) -> EventLoopFuture<
        NIOLoopBound<LinkConnection>
    > {
        let promise = loop.makePromise(of: NIOLoopBound<LinkConnection>.self)
        LinkConnection.adopt(descriptor: descriptor, first: first, on: loop) {
            promise.succeed(NIOLoopBound($0, eventLoop: loop))
        }.whenFailure { promise.fail($0) }
        return promise.futureResult
    }

    private func serve(_ body: @Sendable (WorkerBench) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let ready = EventLog<Void>()
            group.addTask { try await self.worker.run { ready.append(()) } }
            await ready.next { true }
            await self.onLoop { bench in
                bench.supervisor.value.onOpen = { exchange in
                    if let payload = exchange.payload { bench.statuses.append(JSONText(trusting: payload)) }
                    exchange.end(header: .emptyObject)
                }
                bench.dialer.value.start()
                let watch = Listener(
                    onMessage: { header, payload in bench.watched(header, payload) }, onOver: { _ in }
                )
                _ = bench.dialer.value.open(header: UpstreamRequest.watch.text, delegate: watch)
            }
            let result: Result<Void, any Error>
            do { result = .success(try await body(self)) } catch { result = .failure(error) }
            await self.worker.stop(within: .zero)
            try await group.waitForAll()
            await self.onLoop { $0.dialer.value.close() }
            try result.get()
        }
    }

    private func watched(_ header: JSONText, _ payload: ByteBuffer?) {
        let text = JSONText(trusting: payload ?? ByteBuffer())
        switch UpstreamNews(header) {
        case .state: self.events.append(.state(text))
        case .identity: self.events.append(.identity(text))
        case .catalogue(let offering): self.events.append(.catalogue(offering, text))
        case .note, .taskNote: self.events.append(.note(text))
        case nil: Issue.record("no news: \(header)")
        }
    }

    func onLoop(_ body: @escaping @Sendable (WorkerBench) -> Void) async {
        await withCheckedContinuation { continuation in
            self.loop.execute {
                body(self)
                continuation.resume()
            }
        }
    }

    // MARK: What a test does

    /// Opens a call. Ids and tokens are raw JSON.
    ///
    /// - Parameter name: the tool's name as its server knows it, where that is another.
    func call(
        _ tool: String,
        _ arguments: String = "{}",
        id: String = #""client-1""#,
        token: String? = nil,
        name: String? = nil,
        milliseconds: Int = 20_000,
        reads: Bool = true
    ) async -> LiveCall {
        let meta = token.map { #","_meta":{"progressToken":\#($0)}"# } ?? ""
        let request =
            #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(tool)","arguments":\#(arguments)\#(meta)}}"#
        return await self.request(request, name: name, milliseconds: milliseconds, reads: reads)
    }

    func request(
        _ request: String, name: String? = nil, milliseconds: Int = 20_000, reads: Bool = true
    ) async -> LiveCall {
        let call = LiveCall(loop: self.loop)
        let header = UpstreamRequest.call(
            UpstreamCallHeader(
                requestID: "r-1", timeout: milliseconds, principal: "local", session: "s",
                name: name.map { JSONText($0) })
        ).text
        await self.onLoop { bench in
            call.open(header: header, payload: ByteBuffer(string: request), reads: reads, through: bench.dialer.value)
        }
        return call
    }

    /// Opens an exchange that is not a call, and waits for its end.
    func ask(_ request: UpstreamRequest, payload: String? = nil) async {
        let over = EventLog<Void>()
        await self.onLoop { bench in
            _ = bench.dialer.value.open(
                header: request.text,
                payload: payload.map { ByteBuffer(string: $0) },
                delegate: Listener(onMessage: { _, _ in }, onOver: { _ in over.append(()) })
            )
        }
        await over.next { true }
    }

    /// Wants the server to be connected, until that is cancelled.
    func keep() async -> NIOLoopBound<Exchange> {
        let opened = EventLog<NIOLoopBound<Exchange>>()
        await self.onLoop { bench in
            let exchange = bench.dialer.value.open(
                header: UpstreamRequest.keep.text, payload: nil,
                delegate: Listener(onMessage: { _, _ in }, onOver: { _ in }))
            opened.append(NIOLoopBound(exchange, eventLoop: bench.loop))
        }
        return await opened.next { _ in true }
    }

    func cancel(_ exchange: NIOLoopBound<Exchange>) async {
        await self.onLoop { _ in exchange.value.cancel(reason: "test") }
    }

    @discardableResult
    func state(where predicate: @escaping @Sendable (JSONText) -> Bool) async -> JSONText {
        let event = await self.events.next { event in
            if case .state(let state) = event { predicate(state) } else { false }
        }
        guard case .state(let state) = event else { return .null }
        return state
    }

    @discardableResult
    func phase(_ phase: String) async -> JSONText { await self.state { $0.string("phase") == phase } }

    /// The next list of tools. What the server has none of is listed, too, as empty.
    func catalogue() async -> JSONText {
        let event = await self.events.next { if case .catalogue("tools", _) = $0 { true } else { false } }
        guard case .catalogue("tools", let catalogue) = event else { return .null }
        return catalogue
    }

    func identity() async -> JSONText {
        let event = await self.events.next { if case .identity = $0 { true } else { false } }
        guard case .identity(let identity) = event else { return .null }
        return identity
    }

    func note() async -> JSONText {
        let event = await self.events.next { if case .note = $0 { true } else { false } }
        guard case .note(let note) = event else { return .null }
        return note
    }

    /// What the server has read, over all its lives.
    var journal: [String] {
        let text = (try? String(contentsOf: self.folder.appending(path: "journal"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    func received(_ part: String) -> Int { self.journal.filter { $0.contains(part) }.count }

    func closeControl() async { await self.onLoop { $0.supervisor.value.close() } }
    func closeSession() async { await self.onLoop { $0.dialer.value.close() } }
}

/// Keeps what is logged, for tests to wait for.
struct CollectingHandler: LogHandler {
    let log: EventLog<WorkerBench.LogLine>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    init(log: EventLog<WorkerBench.LogLine>) { self.log = log }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        self.log.append(
            .init(
                level: event.level.rawValue, message: "\(event.message)",
                metadata: self.metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
            )
        )
    }
}

import BridgeFiles
import Glibc
import Logging
import Synchronization

@testable import BridgeProcess

/// The process thread of the process that tests run in.
///
/// That process adopts no orphans: Testing waits for the children it has itself, and is confused by others that are
/// dead. Tests of adoption run in a process of their own.
enum TestProcesses {
    static let thread: Result<ProcessThread, SystemCallError> = Result { () throws(SystemCallError) in
        try ProcessThread.start(logger: .silent)
    }

    /// For a process of its own.
    static func startAdopting(
        logger: Logger = .silent, sparing commands: ShortCommands = ShortCommands()
    ) throws -> ProcessThread {
        try Subreaper.enable()
        return try ProcessThread.start(logger: logger, orphanGrace: .milliseconds(10), sparing: commands)
    }

    static func shared() throws -> ProcessThread { try Self.thread.get() }
}

/// Testing has an `ExitStatus` of its own.
typealias Exit = ExitStatus

/// What a child printed and how it ended.
struct Finished: Sendable {
    var output: String
    var status: ExitStatus
    var id: ProcessID

    var lines: [String] { self.output.split(separator: "\n").map(String.init) }
}

extension ProcessThread {
    func spawn(
        _ specification: SpawnSpecification, onExit: @escaping @Sendable (ExitStatus) -> Void
    ) async throws -> ProcessID {
        try await withCheckedContinuation { continuation in
            self.spawn(specification, onStart: { continuation.resume(returning: $0) }, onExit: onExit)
        }.get()
    }

    func end(_ scope: TreeScope, steps: [TreeTeardown.Step] = .termThenKill()) async -> TreeOutcome {
        await withCheckedContinuation { continuation in
            self.end(scope, steps: steps) { continuation.resume(returning: $0) }
        }
    }

    /// Ends some children by a signal, and returns when they have been reaped.
    func end(_ children: [ProcessID], _ signal: CInt = SIGTERM) async {
        for child in children { self.signal(child, signal) }
        while !Set(self.children()).isDisjoint(with: children) { await Task.yield() }
    }

    /// Runs a program to its end with its descriptor 1 read, or with the descriptors given.
    func run(_ specification: SpawnSpecification) async throws -> Finished {
        var specification = specification
        let output = try Pipe.make()
        if specification.descriptors.isEmpty { specification.descriptors = [-1, output.writing, -1] }
        let (exits, continuation) = AsyncStream.makeStream(of: ExitStatus.self)
        let id: ProcessID
        do {
            id = try await self.spawn(specification) { continuation.yield($0) }
        } catch {
            close(output.reading)
            close(output.writing)
            throw error
        }
        close(output.writing)
        let text = await self.readToEnd(output.reading)
        close(output.reading)
        return Finished(output: text, status: try await exits.first(), id: id)
    }

    func shell(_ script: String, _ change: (inout SpawnSpecification) -> Void = { _ in }) async throws -> Finished {
        var specification = SpawnSpecification.shell(script)
        change(&specification)
        return try await self.run(specification)
    }

    /// Starts a shell and returns when it, or something it started, has printed a line; with that line.
    func start(_ specification: SpawnSpecification, further: [CInt] = []) async throws -> Started {
        var specification = specification
        let output = try Pipe.make()
        specification.descriptors = [-1, output.writing, -1] + further
        let (exits, continuation) = AsyncStream.makeStream(of: ExitStatus.self)
        let id = try await self.spawn(specification) { continuation.yield($0) }
        close(output.writing)
        let line = await self.readLine(output.reading)
        return Started(id: id, line: line, output: output.reading, exits: exits)
    }

    func readToEnd(_ descriptor: CInt) async -> String { await self.read(descriptor) { _ in false } }

    func readLine(_ descriptor: CInt) async -> String {
        String((await self.read(descriptor) { $0.last == UInt8(ascii: "\n") }).dropLast())
    }

    private func read(_ descriptor: CInt, until isEnough: @escaping @Sendable ([UInt8]) -> Bool) async -> String {
        await withCheckedContinuation { continuation in
            let bytes = Mutex<[UInt8]>([])
            let box = Box(bytes)
            self.watch(descriptor: descriptor) {
                // One at a time: what comes behind the wanted part stays for the next reader.
                var byte: UInt8 = 0
                let count = Glibc.read(descriptor, &byte, 1)
                if count < 0, errno == EINTR || errno == EAGAIN { return }
                let text: String? = box.value.withLock { bytes in
                    if count == 1 { bytes.append(byte) }
                    return count < 1 || isEnough(bytes) ? String(decoding: bytes, as: UTF8.self) : nil
                }
                guard let text else { return }
                self.unwatch(descriptor: descriptor)
                continuation.resume(returning: text)
            }
        }
    }
}

/// A running child whose output can be read to its end, which comes when nobody holds it any more.
struct Started: Sendable {
    let id: ProcessID
    let line: String
    let output: CInt
    let exits: AsyncStream<ExitStatus>
}

private final class Box: Sendable {
    let value: Mutex<[UInt8]>
    init(_ value: consuming Mutex<[UInt8]>) { self.value = value }
}

struct StreamEnded: Error {}

extension AsyncStream where Element: Sendable {
    /// The next element.
    func first() async throws -> Element {
        for await element in self { return element }
        throw StreamEnded()
    }
}

extension SpawnSpecification {
    static let path = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]

    static func shell(_ script: String) -> SpawnSpecification {
        SpawnSpecification(executable: "/bin/sh", arguments: ["-c", script], environment: Self.path)
    }

    static let sleeping = SpawnSpecification(executable: "/bin/sleep", arguments: ["1000"])
}

extension Logger {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// A log handler that lets tests wait for records.
struct EventLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        guard let id = event.metadata?["process.id"] else { return }
        self.stream.continuation.yield("\(event.message) \(id)")
    }

    /// All such records, from the first.
    var records: AsyncStream<String> { self.stream.stream }

    private let stream = AsyncStream.makeStream(of: String.self)
}

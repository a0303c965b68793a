import BridgeCore
import BridgeFiles
import BridgeOAuth
import BridgeProcess
import Crypto
import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix

/// The state files of one upstream's OAuth, on a thread of their own: no event loop waits for a disk, or for a lock.
///
/// | file | what it is |
/// |---|---|
/// | `.json` | the state: the truth, whatever a process remembers |
/// | `.previous` | the state before |
/// | `.intent` | a refresh token may be used up |
/// | `.answer` | what a token endpoint answered, until it is in the state |
/// | `.lock` | whoever holds it may change the others |
///
/// All are made with mode 0600 in a folder of 0700, and replaced as a whole.
///
/// `@unchecked Sendable`: what changes in it, the lock, is touched by bodies of ``run(on:_:)`` alone, which run on its one thread,
/// one after the other.
final class OAuthFiles: @unchecked Sendable {
    /// What is on the disk.
    struct Contents: Sendable {
        var record: OAuthRecord?
        var intent: RefreshIntent?
        var answer: KeptAnswer?
        /// Files of another use, renamed or not, for people.
        var notes: [String] = []
    }

    /// Why it cannot be used as it is.
    struct Trouble: Error, CustomStringConvertible {
        let description: String
    }

    private static let limit = 4 << 20
    /// How long a change waits for another process, in units of 50 ms.
    private static let patience = 100

    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let folder: String
    private let stem: String
    private let seal: StateSeal
    private let upstream: String
    private let server: String
    private var lock: FolderLock?
    private var isLocked = false

    init(folder: String, upstream: String, server: String, seal: StateSeal) {
        self.folder = folder
        self.upstream = upstream
        self.server = server
        self.seal = seal
        let name = SHA256.hash(data: Data("\(upstream)\0\(server)".utf8)).prefix(16).hexadecimal
        self.stem = "\(folder)/\(name)"
        self.thread.start()
    }

    private func path(_ ending: String) -> String { "\(self.stem).\(ending)" }

    /// Runs on the thread; what it says is told on the loop.
    func run<Value: Sendable>(
        on loop: any EventLoop, _ body: @escaping @Sendable (OAuthFiles) throws -> Value
    ) -> EventLoopFuture<Value> {
        self.thread.runIfActive(eventLoop: loop) { try body(self) }
    }

    func shutDown() { self.thread.shutdownGracefully { _ in } }

    // MARK: The lock

    /// - Returns: who has it, when it is somebody else.
    func take() throws -> String? {
        guard !self.isLocked else { return nil }
        try PrivateFile.makeDirectory(self.folder)
        do {
            self.lock = try FolderLock.take(
                file: self.path("lock"), of: self.folder, as: "mcp-bridge, upstream \(self.upstream)")
            self.isLocked = true
            return nil
        } catch let held as FolderLock.Held {
            return held.holder.isEmpty ? "another process" : "process \(held.holder)"
        }
    }

    /// Who has it: nobody, where it could be had.
    func holder() throws -> String? {
        if self.isLocked { return "this process" }
        let holder = try self.take()
        if holder == nil { self.release() }
        return holder
    }

    func release() {
        self.lock?.release()
        self.lock = nil
        self.isLocked = false
    }

    /// Does something under the lock, which may be held already.
    private func locked<Value>(_ body: () throws -> Value) throws -> Value {
        if self.isLocked { return try body() }
        var holder = try self.take()
        for _ in 0..<Self.patience where holder != nil {
            usleep(50_000)
            holder = try self.take()
        }
        if let holder { throw Trouble(description: "its state is in use by \(holder)") }
        defer { self.release() }
        return try body()
    }

    // MARK: What is there

    func read() throws -> Contents {
        var contents = Contents()
        if let bytes = try self.bytes("json") {
            contents.record = try OAuthRecord(reading: bytes, upstream: self.upstream, server: self.server)
        }
        contents.intent = try self.bytes("intent").flatMap { RefreshIntent($0) }
        // One that is not whole says nothing, and is not in the way.
        contents.answer = (try? self.bytes("answer")).flatMap { $0 }.flatMap { KeptAnswer($0) }
        return contents
    }

    private func bytes(_ ending: String) throws -> ByteBuffer? {
        guard let bytes = try WholeFile.readIfPresent(self.path(ending), limit: Self.limit) else { return nil }
        return ByteBuffer(bytes: try self.seal.open(bytes))
    }

    // MARK: What is written

    func write(_ intent: RefreshIntent) throws { try self.replace("intent", intent.json) }
    func write(_ answer: KeptAnswer) throws { try self.replace("answer", answer.json) }

    /// The state before is kept beside it.
    func commit(_ record: OAuthRecord) throws {
        if let before = try? WholeFile.readIfPresent(self.path("json"), limit: Self.limit) {
            try PrivateFile.replace(self.path("previous"), with: before)
        }
        try self.replace("json", record.json)
    }

    private func replace(_ ending: String, _ json: JSONText) throws {
        try PrivateFile.makeDirectory(self.folder)
        try PrivateFile.replace(self.path(ending), with: try self.seal.close(Array(json.bytes.readableBytesView)))
    }

    /// Takes intent and answer away.
    func clear() throws {
        for ending in ["answer", "intent"] where unlink(self.path(ending)) != 0 && errno != ENOENT {
            throw SystemCallError("unlink", self.path(ending))
        }
    }

    /// Changes the state as it is on the disk now.
    ///
    /// - Parameter unsaved: tokens that the disk has not taken before. Where they are newer than its own, they are written, too.
    func change(_ change: RecordChange, over unsaved: OAuthRecord? = nil, now: Double) throws -> OAuthRecord {
        try self.locked {
            var record = try self.readable() ?? OAuthRecord(upstream: self.upstream, server: self.server)
            let isNewer = unsaved.map { $0.generation > record.generation } ?? false
            if let unsaved, isNewer { record.take(tokensOf: unsaved) }
            change.apply(to: &record, now: now)
            try self.commit(record)
            if isNewer { try? self.clear() }
            return record
        }
    }

    /// One that is no state any more is kept as the one before, by whatever is written next.
    private func readable() throws -> OAuthRecord? {
        do {
            return try self.read().record
        } catch let flaw as OAuthRecord.Flaw {
            guard case .malformed = flaw else { throw flaw }
            return nil
        }
    }

    /// Newer tokens than the file's, which could not be written before.
    func save(_ record: OAuthRecord) throws {
        try self.locked {
            let there = try self.read().record
            if let there, there.generation >= record.generation { return }
            var newer = there ?? record
            newer.take(tokensOf: record)
            try self.commit(newer)
            try self.clear()
        }
    }

    /// Nothing is left of tokens that somebody has signed out of.
    func forget() throws {
        try self.locked {
            try self.clear()
            if unlink(self.path("previous")) != 0, errno != ENOENT {
                throw SystemCallError("unlink", self.path("previous"))
            }
        }
    }

    /// Takes the state of mcp-bridge for Node, once: where there is none yet. The file stays, with another name.
    func importOlder(_ path: String, redirects: [String]) throws -> OAuthRecord? {
        try self.locked {
            guard try self.bytes("json") == nil,
                let bytes = try WholeFile.readIfPresent(path, limit: Self.limit),
                let record = OlderState.read(
                    ByteBuffer(bytes: bytes), upstream: self.upstream, server: self.server, redirects: redirects)
            else { return nil }
            try self.commit(record)
            guard rename(path, path + ".imported") == 0 else { throw SystemCallError("rename", path) }
            return record
        }
    }
}

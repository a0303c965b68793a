import BridgeAccess
import Foundation
import GRDB

@testable import BridgeStore

/// A folder of its own, and the store in it.
final class StoreFixture {
    let folder: String
    let key = TokenKey.random()

    init() throws {
        self.folder = FileManager.default.temporaryDirectory.appendingPathComponent("store-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.folder) }

    var path: String { self.folder + "/bridge.sqlite" }

    func open(
        key: TokenKey? = nil, _ change: (inout AccessDatabase.Options) -> Void = { _ in }
    ) -> AccessDatabase {
        let key = key ?? self.key
        var options = AccessDatabase.Options()
        options.lockWait = .milliseconds(50)
        change(&options)
        return AccessDatabase(path: self.path, mark: key.mark, options: options)
    }

    /// Another program's look at the same file.
    func plainly(_ body: (Database) throws -> Void) throws {
        let queue = try DatabaseQueue(path: self.path)
        try queue.writeWithoutTransaction(body)
        try queue.close()
    }

    /// The file as an earlier version has left it.
    ///
    /// - Parameter step: the last one that it knew.
    func makeOlder(_ step: String, _ rows: [AuditRow]) throws {
        let queue = try DatabaseQueue(path: self.path)
        try Schema.migrator.migrate(queue, upTo: step)
        try queue.write { database in
            for row in rows {
                try database.execute(
                    sql: """
                        INSERT INTO audit (
                            time, request, token, principal, method, subject, request_bytes, response_bytes, microseconds,
                            outcome, status
                        ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        row.time, row.requestID, row.token?.text, row.principal, row.method, row.subject,
                        row.requestBytes, row.responseBytes, row.microseconds, row.outcome, row.status,
                    ])
            }
        }
        try queue.close()
    }

    func token(_ name: String, scope: String = "mcp") throws -> Token {
        Token(
            id: .random(), name: name, scope: try TokenScope(scope), created: 1_000,
            hash: self.key.hash(.random()))
    }

    func row(_ number: Int, token: TokenID? = nil, outcome: String = AuditRow.ok) -> AuditRow {
        AuditRow(
            requestID: "\(number)", time: number, token: token, principal: "local", method: "tools/call",
            subject: "demo.add", requestBytes: 10, responseBytes: 20, microseconds: 30, outcome: outcome, status: 200,
            user: token == nil ? nil : "user", clientSession: "session \(number)",
            inputTokens: number % 2 == 0 ? nil : number, outputTokens: number % 2 == 0 ? nil : 7)
    }
}

extension AccessDatabase {
    func get<Value: Sendable>(
        _ body: (@escaping StoreAnswer<Value>) -> Void
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            body { continuation.resume(with: $0.mapError { $0 as any Error }) }
        }
    }

    /// Writes a token over whatever there is.
    func put(_ token: Token) async throws -> Int {
        let revision = try await self.get { self.revision($0) }
        guard case .written(let next) = try await self.get({ self.put(token, over: revision, $0) }) else {
            throw StoreTrouble(.busy, "Somebody else was faster.")
        }
        return next
    }

    func closed() async { await withCheckedContinuation { done in self.close { done.resume() } } }
}

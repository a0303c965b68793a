package import BridgeAccess
import GRDB

extension AccessDatabase: AuditStore {
    package func append(_ rows: [AuditRow], _ answer: @escaping StoreAnswer<Void>) {
        self.perform(answer) { queue in
            try queue.write { database in try AuditInsert.run(rows, database) }
        }
    }

    package func rows(_ query: AuditQuery, _ answer: @escaping StoreAnswer<AuditPage>) {
        self.look(answer, without: AuditPage(rows: [], last: query.after ?? 0)) { database in
            var conditions = ["1"]
            var arguments = StatementArguments()
            let add = { (condition: String, value: (any DatabaseValueConvertible)?) in
                guard let value else { return }
                conditions.append(condition)
                arguments += [value]
            }
            add("token = ?", query.token?.text)
            add("time >= ?", query.since)
            add("subject GLOB ?", query.subject.map(Self.glob))
            add("outcome = ?", query.outcome)
            add("id > ?", query.after)
            // From a place on, the next ones; without one, the newest.
            let order = query.after == nil ? "DESC" : "ASC"
            arguments += [max(0, query.limit)]
            let found = try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM audit WHERE \(conditions.joined(separator: " AND ")) ORDER BY id \(order) LIMIT ?
                    """,
                arguments: arguments)
            let newest = try Int.fetchOne(database, sql: "SELECT max(id) FROM audit") ?? 0
            let inOrder = query.after == nil ? found.reversed() : found
            let isCut = found.count >= query.limit && query.after != nil
            let last = isCut ? inOrder.last.flatMap { Int.fromDatabaseValue($0["id"] as DatabaseValue) } : nil
            return AuditPage(rows: inOrder.map(Self.auditRow), last: max(last ?? newest, query.after ?? 0))
        }
    }

    package func usage(since time: Int, of token: TokenID?, _ answer: @escaping StoreAnswer<[TokenUsage]>) {
        self.look(answer, without: []) { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT token, count(*), sum(outcome <> 'ok'), sum(request_bytes), sum(response_bytes),
                        sum(microseconds), max(time)
                    FROM audit INDEXED BY audit_time
                    WHERE time >= ? AND token IS NOT NULL AND (?2 IS NULL OR token = ?2)
                    GROUP BY token ORDER BY token
                    """, arguments: [time, token?.text]
            ).compactMap { row in
                let number = { (index: Int) in Int.fromDatabaseValue(row[index] as DatabaseValue) ?? 0 }
                return String.fromDatabaseValue(row[0] as DatabaseValue).flatMap(TokenID.init).map {
                    TokenUsage(
                        token: $0, requests: number(1), failures: number(2), requestBytes: number(3),
                        responseBytes: number(4), microseconds: number(5), last: number(6))
                }
            }
        }
    }

    package func prune(before time: Int, _ answer: @escaping StoreAnswer<Void>) {
        let next: StoreAnswer<Bool> = { result in
            switch result {
            case .success(let isMore):
                if isMore { self.prune(before: time, answer) } else { self.forget(before: time, answer) }
            case .failure(let trouble): answer(.failure(trouble))
            }
        }
        // In pieces: whatever else is to be done comes in between.
        self.perform(next, without: false) { queue in
            try queue.write { database in
                try database.execute(
                    sql: "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE time < ? LIMIT \(Self.piece))",
                    arguments: [time])
                return database.changesCount > 0
            }
        }
    }

    /// Rows of the audit that are forgotten at once.
    private static let piece = 2_000

    /// What nobody needs any more once the audit has forgotten it, too.
    private func forget(before time: Int, _ answer: @escaping StoreAnswer<Void>) {
        self.perform(answer, without: ()) { queue in
            try queue.write { database in
                try database.execute(sql: "DELETE FROM budget WHERE day < ?", arguments: [time / 86_400_000])
                try database.execute(
                    sql: "DELETE FROM token WHERE revoked < ?1 OR expires < ?1", arguments: [time / 1_000])
                guard database.changesCount > 0 else { return }
                _ = try TokenRow.nextRevision(database)
                // What holds for all tokens together is no token's.
                try database.execute(sql: "DELETE FROM rate WHERE key <> '*' AND key NOT IN (SELECT id FROM token)")
            }
        }
    }

    /// SQLite's pattern for one of ours: it knows sets in brackets, which ours do not.
    static func glob(_ pattern: String) -> String {
        pattern.reduce(into: "") { $0 += $1 == "[" ? "[[]" : String($1) }
    }

    private static func auditRow(_ row: Row) -> AuditRow {
        let text = { (name: String) in String.fromDatabaseValue(row[name] as DatabaseValue) }
        let count = { (name: String) in Int.fromDatabaseValue(row[name] as DatabaseValue) }
        let number = { (name: String) in count(name) ?? 0 }
        return AuditRow(
            requestID: text("request") ?? "", time: number("time"), token: text("token").flatMap(TokenID.init),
            principal: text("principal") ?? "", method: text("method") ?? "", subject: text("subject"),
            requestBytes: number("request_bytes"), responseBytes: number("response_bytes"),
            microseconds: number("microseconds"), outcome: text("outcome") ?? "", status: number("status"),
            user: text("user"), clientSession: text("client_session"), inputTokens: count("input_tokens"),
            outputTokens: count("output_tokens"))
    }
}

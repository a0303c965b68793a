import BridgeAccess
import GRDB
import GRDBSQLite

/// Writes rows of the audit. There may be ten thousand in a second: several go with one statement, and their values are bound
/// by SQLite's own calls.
enum AuditInsert {
    private static let columns = 15
    /// Rows that go with one statement; what is left goes one by one.
    private static let several = 32
    private static let sqlOfSeveral = sql(several)
    private static let sqlOfOne = sql(1)
    /// What is bound is copied at once. SQLite has a word for that, `SQLITE_TRANSIENT`, which is a cast in C, and so no word of
    /// Swift's: the same cast, of a pointer's size, to a function that is never called.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    static func run(_ rows: [AuditRow], _ database: Database) throws {
        var rest = rows[...]
        while !rest.isEmpty {
            let isWhole = rest.count >= Self.several
            let count = isWhole ? Self.several : 1
            try Self.insert(rest.prefix(count), isWhole ? Self.sqlOfSeveral : Self.sqlOfOne, database)
            rest = rest.dropFirst(count)
        }
    }

    private static func sql(_ rows: Int) -> String {
        let places = "(" + Array(repeating: "?", count: Self.columns).joined(separator: ", ") + ")"
        return """
            INSERT INTO audit (
                time, request, token, principal, method, subject, request_bytes, response_bytes, microseconds, outcome,
                status, user, client_session, input_tokens, output_tokens
            ) VALUES \(Array(repeating: places, count: rows).joined(separator: ", "))
            """
    }

    private static func insert(_ rows: ArraySlice<AuditRow>, _ sql: String, _ database: Database) throws {
        let statement = try database.cachedStatement(sql: sql).sqliteStatement
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        var place: Int32 = 0
        // What is not bound is NULL.
        func bind(_ number: Int?) {
            place += 1
            if let number { sqlite3_bind_int64(statement, place, Int64(number)) }
        }
        func bind(_ text: String?) {
            place += 1
            text?.withCString { _ = sqlite3_bind_text(statement, place, $0, -1, Self.transient) }
        }
        for row in rows {
            bind(row.time)
            bind(row.requestID)
            bind(row.token?.text)
            bind(row.principal)
            bind(row.method)
            bind(row.subject)
            bind(row.requestBytes)
            bind(row.responseBytes)
            bind(row.microseconds)
            bind(row.outcome)
            bind(row.status)
            bind(row.user)
            bind(row.clientSession)
            bind(row.inputTokens)
            bind(row.outputTokens)
        }
        let code = sqlite3_step(statement)
        guard code == SQLITE_DONE else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: code),
                message: database.sqliteConnection.map { String(cString: sqlite3_errmsg($0)) })
        }
    }
}

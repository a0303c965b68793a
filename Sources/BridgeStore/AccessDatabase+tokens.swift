package import BridgeAccess
import GRDB

extension AccessDatabase: TokenStore {
    package func tokens(_ answer: @escaping StoreAnswer<TokenStock>) {
        self.perform(answer) { [mark, path] queue in
            try queue.read { database in
                try TokenRow.check(mark, database, path)
                return TokenStock(
                    tokens: try Row.fetchAll(database, sql: "SELECT * FROM token").map(TokenRow.token),
                    revision: try TokenRow.revision(database))
            }
        }
    }

    package func revision(_ answer: @escaping StoreAnswer<Int>) {
        self.perform(answer) { queue in try queue.read(TokenRow.revision) }
    }

    package func put(_ token: Token, _ answer: @escaping StoreAnswer<Int>) {
        self.perform(answer) { [mark, path] queue in
            // A power cut must not bring back what was revoked.
            try queue.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA synchronous = FULL")
                defer { try? database.execute(sql: "PRAGMA synchronous = NORMAL") }
                var revision = 0
                try database.inTransaction(.immediate) {
                    try TokenRow.check(mark, database, path)
                    try TokenRow.note(mark, database)
                    try TokenRow.write(token, database)
                    try database.execute(sql: "UPDATE revision SET number = number + 1")
                    revision = try TokenRow.revision(database)
                    return .commit
                }
                return revision
            }
        }
    }
}

/// A token as a row.
enum TokenRow {
    static func revision(_ database: Database) throws -> Int {
        try Int.fetchOne(database, sql: "SELECT number FROM revision") ?? 0
    }

    /// Refuses tokens that were made with another key. A file without tokens takes any.
    static func check(_ mark: TokenHash?, _ database: Database, _ path: String) throws {
        guard let mark, let noted = try DatabaseBytes.fetchOne(database, sql: "SELECT mark FROM token_key"),
            TokenHash(bytes: noted.bytes) != mark
        else { return }
        throw StoreTrouble(
            .otherKey,
            "The tokens in \(path) were made with another token key. Put back the token.key (or the credential token-key) of "
                + "their time, or move \(path) away: then all tokens have to be made anew.")
    }

    static func note(_ mark: TokenHash?, _ database: Database) throws {
        guard let mark else { return }
        try database.execute(
            sql: "INSERT INTO token_key SELECT ? WHERE NOT EXISTS (SELECT 1 FROM token_key)",
            arguments: [DatabaseBytes(mark.bytes)])
    }

    static func token(_ row: Row) throws -> Token {
        let text = { (name: String) in String.fromDatabaseValue(row[name] as DatabaseValue) }
        let number = { (name: String) in Int.fromDatabaseValue(row[name] as DatabaseValue) }
        let hash = { (name: String) in
            DatabaseBytes.fromDatabaseValue(row[name] as DatabaseValue).flatMap { TokenHash(bytes: $0.bytes) }
        }
        guard let id = text("id").flatMap(TokenID.init), let name = text("name"), let scope = text("scope"),
            let models = text("models"), let created = number("created"), let current = hash("hash")
        else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a token cannot be read")
        }
        do {
            var previous: Token.Previous?
            if let hash = hash("previous_hash"), let until = number("previous_until") {
                previous = Token.Previous(hash: hash, until: until)
            }
            return Token(
                id: id, name: name, scope: try TokenScope(scope),
                models: models.isEmpty ? .all : try ModelPatterns(models),
                limits: TokenLimits(
                    rate: try text("rate").map(TokenRate.init), concurrency: number("concurrency"),
                    budget: try text("budget").map(TokenBudget.init)),
                created: created, expires: number("expires"), isSandboxed: number("sandbox") == 1,
                isAudited: number("audit") == 1, revoked: number("revoked"), hash: current, previous: previous)
        } catch {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "token \(id): \(error)")
        }
    }

    static func write(_ token: Token, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO token (
                    id, name, scope, models, rate, concurrency, budget, created, expires, sandbox, audit, revoked, hash,
                    previous_hash, previous_until
                ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                token.id.text, token.name, token.scope.text, token.models.text, token.limits.rate?.description,
                token.limits.concurrency, token.limits.budget?.description, token.created, token.expires,
                token.isSandboxed, token.isAudited, token.revoked, DatabaseBytes(token.hash.bytes),
                token.previous.map { DatabaseBytes($0.hash.bytes) }, token.previous?.until,
            ])
    }
}

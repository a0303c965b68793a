package import BridgeAccess
import GRDB

extension AccessDatabase: TokenStore {
    package func tokens(_ answer: @escaping StoreAnswer<TokenStock>) {
        self.perform(answer, without: TokenStock(tokens: [], revision: TokenRow.noRevision)) { [mark, path] queue in
            try queue.read { database in
                try TokenRow.check(mark, database, path)
                return TokenStock(
                    tokens: try Row.fetchAll(database, sql: "SELECT * FROM token").map(TokenRow.token),
                    revision: try TokenRow.revision(database))
            }
        }
    }

    package func revision(_ answer: @escaping StoreAnswer<Int>) {
        self.perform(answer, without: TokenRow.noRevision) { queue in try queue.read(TokenRow.revision) }
    }

    package func put(_ token: Token, over revision: Int, _ answer: @escaping StoreAnswer<TokenChange>) {
        self.change(answer) { database in
            guard try TokenRow.isCurrent(revision, database) else { return .outdated }
            try TokenRow.write(token, database)
            return .written(try TokenRow.nextRevision(database))
        }
    }

    package func revoke(_ token: TokenID, at time: Int, _ answer: @escaping StoreAnswer<Int>) {
        self.change(answer) { database in
            try database.execute(
                sql: "UPDATE token SET revoked = min(ifnull(revoked, ?1), ?1) WHERE id = ?2",
                arguments: [time, token.text])
            return try TokenRow.nextRevision(database)
        }
    }

    /// With more care than anything else is written: a power cut must not bring back what was revoked.
    private func change<Value: Sendable>(
        _ answer: @escaping StoreAnswer<Value>, _ job: @escaping @Sendable (Database) throws -> Value
    ) {
        self.perform(answer) { [mark, path] queue in
            try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            defer { try? queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = NORMAL") } }
            return try queue.write { database in
                try TokenRow.check(mark, database, path)
                try TokenRow.note(mark, database)
                return try job(database)
            }
        }
    }
}

/// A token as a row.
enum TokenRow {
    /// Of a file that is not there.
    static let noRevision = -1

    /// Whether what was decided by the tokens of that time still stands. Where there was no file there was no token.
    static func isCurrent(_ revision: Int, _ database: Database) throws -> Bool {
        guard revision == Self.noRevision else { return try Self.revision(database) == revision }
        return try !(Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM token)") ?? false)
    }

    static func revision(_ database: Database) throws -> Int {
        try Int.fetchOne(database, sql: "SELECT number FROM revision") ?? 0
    }

    /// Notes that something has changed.
    static func nextRevision(_ database: Database) throws -> Int {
        try database.execute(sql: "UPDATE revision SET number = number + 1")
        return try Self.revision(database)
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

    /// Until the end of the year 9999: what is added to one of them is still a number.
    private static let times = 0...253_402_300_799

    static func token(_ row: Row) throws -> Token {
        let text = { (name: String) in String.fromDatabaseValue(row[name] as DatabaseValue) }
        let number = { (name: String, range: ClosedRange<Int>) throws -> Int? in
            guard let number = Int.fromDatabaseValue(row[name] as DatabaseValue) else { return nil }
            guard range.contains(number) else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a token's \(name) makes no sense")
            }
            return number
        }
        let hash = { (name: String) in
            DatabaseBytes.fromDatabaseValue(row[name] as DatabaseValue).flatMap { TokenHash(bytes: $0.bytes) }
        }
        guard let id = text("id").flatMap(TokenID.init), let name = text("name"), let scope = text("scope"),
            let models = text("models"), let created = try number("created", Self.times), let current = hash("hash")
        else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a token cannot be read")
        }
        do {
            var previous: Token.Previous?
            if let hash = hash("previous_hash"), let until = try number("previous_until", Self.times) {
                previous = Token.Previous(hash: hash, until: until)
            }
            return Token(
                id: id, name: name, scope: try TokenScope(scope),
                models: models.isEmpty ? .all : try ModelPatterns(models),
                limits: TokenLimits(
                    rate: try text("rate").map(TokenRate.init), concurrency: try number("concurrency", 1...1_000_000),
                    budget: try text("budget").map(TokenBudget.init)),
                created: created, expires: try number("expires", Self.times),
                isSandboxed: try number("sandbox", 0...1) == 1,
                isAudited: try number("audit", 0...1) == 1, revoked: try number("revoked", Self.times), hash: current,
                previous: previous)
        } catch let error as DatabaseError {
            throw error
        } catch {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "token \(id): \(error)")
        }
    }

    static func write(_ token: Token, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO token (
                    id, name, scope, models, rate, concurrency, budget, created, expires, sandbox, audit, revoked, hash,
                    previous_hash, previous_until
                ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET
                    name = excluded.name, scope = excluded.scope, models = excluded.models, rate = excluded.rate,
                    concurrency = excluded.concurrency, budget = excluded.budget, created = excluded.created,
                    expires = excluded.expires, sandbox = excluded.sandbox, audit = excluded.audit,
                    revoked = ifnull(revoked, excluded.revoked), hash = excluded.hash,
                    previous_hash = excluded.previous_hash, previous_until = excluded.previous_until
                """,
            arguments: [
                token.id.text, token.name, token.scope.text, token.models.text, token.limits.rate?.description,
                token.limits.concurrency, token.limits.budget?.description, token.created, token.expires,
                token.isSandboxed, token.isAudited, token.revoked, DatabaseBytes(token.hash.bytes),
                token.previous.map { DatabaseBytes($0.hash.bytes) }, token.previous?.until,
            ])
    }
}

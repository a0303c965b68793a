import BridgeAccess
import GRDB

/// The tables, and how files of earlier versions become files of this one. A step is never changed once it has been released:
/// a new one is added.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: tokens, budgets, audit") { database in
            try database.execute(
                sql: """
                    CREATE TABLE token (
                        id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, scope TEXT NOT NULL, models TEXT NOT NULL,
                        rate TEXT, concurrency INTEGER, budget TEXT, created INTEGER NOT NULL, expires INTEGER,
                        sandbox INTEGER NOT NULL, audit INTEGER NOT NULL, revoked INTEGER, hash BLOB NOT NULL,
                        previous_hash BLOB, previous_until INTEGER
                    ) WITHOUT ROWID;
                    CREATE TABLE token_key (mark BLOB NOT NULL);
                    CREATE TABLE revision (number INTEGER NOT NULL);
                    -- Another file has another number.
                    INSERT INTO revision VALUES (abs(random() % 1000000000000));
                    CREATE TABLE budget (
                        token TEXT NOT NULL, day INTEGER NOT NULL, taken INTEGER NOT NULL, PRIMARY KEY (day, token)
                    ) WITHOUT ROWID;
                    CREATE TABLE audit (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, request TEXT NOT NULL, token TEXT,
                        principal TEXT NOT NULL, method TEXT NOT NULL, subject TEXT, request_bytes INTEGER NOT NULL,
                        response_bytes INTEGER NOT NULL, microseconds INTEGER NOT NULL, outcome TEXT NOT NULL,
                        status INTEGER NOT NULL
                    );
                    CREATE INDEX audit_time ON audit (time);
                    """)
        }
        migrator.registerMigration("2: rates") { database in
            // Until when the time to come is spent, in microseconds since 1970.
            try database.execute(
                sql: "CREATE TABLE rate (key TEXT PRIMARY KEY NOT NULL, spent_until INTEGER NOT NULL) WITHOUT ROWID")
        }
        migrator.registerMigration("3: whom clients speak for, and tokens of models, in the audit") { database in
            try database.execute(
                sql: """
                    ALTER TABLE audit ADD COLUMN user TEXT;
                    ALTER TABLE audit ADD COLUMN client_session TEXT;
                    ALTER TABLE audit ADD COLUMN input_tokens INTEGER;
                    ALTER TABLE audit ADD COLUMN output_tokens INTEGER;
                    """)
        }
        migrator.registerMigration("4: audit rows of a token") { database in
            // In the order of their ids, as every index is.
            try database.execute(sql: "CREATE INDEX audit_token ON audit (token) WHERE token IS NOT NULL")
        }
        return migrator
    }

    /// Brings the file to this version. Each step is one transaction, so that of several processes one makes it.
    static func prepare(_ queue: DatabaseQueue, _ path: String) throws {
        let migrator = Self.migrator
        let (isLater, isComplete) = try queue.read { database in
            (try migrator.hasBeenSuperseded(database), try migrator.hasCompletedMigrations(database))
        }
        guard !isLater else {
            throw StoreTrouble(
                .laterVersion,
                "\(path) has been made by a later version of mcp-bridge. Use that version, or put back a copy from before."
            )
        }
        if !isComplete { try migrator.migrate(queue) }
    }
}

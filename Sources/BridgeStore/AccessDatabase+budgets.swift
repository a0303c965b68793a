package import BridgeAccess
import GRDB

extension AccessDatabase: BudgetStore {
    package func take(
        _ amount: Int, least: Int, of token: TokenID, day: Int, limit: Int, _ answer: @escaping StoreAnswer<Int>
    ) {
        self.perform(answer) { queue in
            try queue.write { database in
                // Whoever writes has the lock: two processes never see the same rest.
                let taken = try Self.taken(of: token, day: day, database)
                let left = max(0, limit - taken)
                let granted = left < least ? 0 : min(amount, left)
                if granted > 0 { try Self.set(taken + granted, of: token, day: day, database) }
                return granted
            }
        }
    }

    package func giveBack(_ amount: Int, of token: TokenID, day: Int, _ answer: @escaping StoreAnswer<Void>) {
        self.perform(answer) { queue in
            try queue.write { database in
                let taken = try Self.taken(of: token, day: day, database)
                try Self.set(max(0, taken - max(0, amount)), of: token, day: day, database)
            }
        }
    }

    package func taken(day: Int, _ answer: @escaping StoreAnswer<[TokenID: Int]>) {
        self.look(answer, without: [:]) { database in
            var taken: [TokenID: Int] = [:]
            let rows = try Row.fetchCursor(
                database, sql: "SELECT token, taken FROM budget WHERE day = ?", arguments: [day])
            while let row = try rows.next() {
                let id = String.fromDatabaseValue(row[0] as DatabaseValue).flatMap(TokenID.init)
                if let id { taken[id] = max(0, Int.fromDatabaseValue(row[1] as DatabaseValue) ?? 0) }
            }
            return taken
        }
    }

    private static func taken(of token: TokenID, day: Int, _ database: Database) throws -> Int {
        let taken = try Int.fetchOne(
            database, sql: "SELECT taken FROM budget WHERE day = ? AND token = ?", arguments: [day, token.text])
        // In a damaged file it may be anything.
        return max(0, taken ?? 0)
    }

    private static func set(_ amount: Int, of token: TokenID, day: Int, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO budget (token, day, taken) VALUES (?, ?, ?)
                ON CONFLICT (day, token) DO UPDATE SET taken = excluded.taken
                """,
            arguments: [token.text, day, amount])
    }
}

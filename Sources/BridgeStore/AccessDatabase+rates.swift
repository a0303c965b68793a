package import BridgeAccess
import GRDB

extension AccessDatabase: RateStore {
    package func take(
        _ most: Int, least: Int, of rate: TokenRate, for key: String,
        _ answer: @escaping StoreAnswer<TokenBucket.Outcome>
    ) {
        self.perform(answer) { [clock] queue in
            try queue.write { database in
                // Whoever writes has the lock: two processes never take the same piece.
                let spent = try Int64.fetchOne(
                    database, sql: "SELECT spent_until FROM rate WHERE key = ?", arguments: [key])
                var bucket = TokenBucket(spentUntil: spent ?? 0)
                let before = bucket
                let outcome = bucket.take(most, least: least, of: rate, now: clock())
                guard bucket != before else { return outcome }
                try database.execute(
                    sql: """
                        INSERT INTO rate (key, spent_until) VALUES (?, ?)
                        ON CONFLICT (key) DO UPDATE SET spent_until = excluded.spent_until
                        """,
                    arguments: [key, bucket.spentUntil])
                return outcome
            }
        }
    }
}

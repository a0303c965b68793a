/// Decides what becomes of a command, by the tokens that there are. Whoever has the store does it.
package struct AccessDesk: Sendable {
    package enum Decision: Sendable {
        case answer(AccessReply)
        /// To write the token, and then to answer so.
        case write(Token, AccessReply)
        /// To end the token, as it is here, and then to answer so.
        case revoke(Token, AccessReply)
        case usage(since: Int, of: TokenID?)
        case audit(AuditQuery)
    }

    private let key: TokenKey
    /// Who needs a token, in the configuration's word.
    private let rule: String?

    package init(key: TokenKey, rule: String?) {
        self.key = key
        self.rule = rule
    }

    /// - Parameters:
    ///   - tokens: all there are.
    ///   - now: seconds since 1970.
    package func decide(_ command: AccessCommand, among tokens: [Token], now: Int) -> Decision {
        do throws(AccessProblem) {
            return try self.decision(command, tokens, now)
        } catch {
            return .answer(.refused(word: "invalid", text: error.description))
        }
    }

    private func decision(
        _ command: AccessCommand, _ tokens: [Token], _ now: Int
    ) throws(AccessProblem) -> Decision {
        switch command {
        case .create(let wish):
            if tokens.contains(where: { $0.name == wish.name && $0.isGood(at: now) }) {
                throw AccessProblem(
                    "There is a token named '\(wish.name)' already. Choose another name, or revoke that one first.")
            }
            let secret = TokenSecret.random()
            let token = try wish.token(.random(), hash: self.key.hash(secret), now: now)
            return .write(token, .issued(TokenReport(token, now: now), secret: secret.text, rule: self.rule))
        case .list: return .answer(Self.list(tokens, now: now))
        case .show(let which): return .answer(.token(TokenReport(try Self.find(which, tokens, now), now: now)))
        case .revoke(let which):
            var token = try Self.find(which, tokens, now)
            if token.revoked == nil { token.revoked = now }
            return .revoke(token, .token(TokenReport(token, now: now)))
        case .rotate(let which, let keepOld):
            var token = try Self.find(which, tokens, now)
            guard token.isGood(at: now) else {
                throw AccessProblem("\(token.id) (\(token.name)) is good no longer. Make a new one.")
            }
            let secret = TokenSecret.random()
            token.rotate(
                to: self.key.hash(secret), keepingOldUntil: keepOld > 0 ? now + min(keepOld, 366 * 86_400) : nil)
            return .write(token, .issued(TokenReport(token, now: now), secret: secret.text, rule: self.rule))
        case .usage(let since, let which):
            // Whatever a program asks for, it is a number of milliseconds, too.
            return .usage(since: min(max(0, since), Self.latest), of: try Self.known(which, tokens, now))
        case .audit(let wish):
            return .audit(
                AuditQuery(
                    token: try Self.known(wish.token, tokens, now), since: wish.since, subject: wish.subject,
                    outcome: wish.outcome, after: wish.after, limit: min(max(1, wish.limit), Self.mostRows)))
        }
    }

    /// All of them, by their age. With many, that takes long.
    package static func list(_ tokens: [Token], now: Int) -> AccessReply {
        let byAge = tokens.sorted { ($0.created, $0.id.text) < ($1.created, $1.id.text) }
        return .tokens(byAge.map { TokenReport($0, now: now) })
    }

    /// The end of the year 9999, in seconds since 1970.
    private static let latest = 253_402_300_799
    /// Rows that are told at once.
    package static let mostRows = 10_000

    private static func known(_ which: String?, _ tokens: [Token], _ now: Int) throws(AccessProblem) -> TokenID? {
        guard let which else { return nil }
        return try Self.find(which, tokens, now).id
    }

    /// By its id, or by its name: of those with the same name the one that is good.
    private static func find(_ which: String, _ tokens: [Token], _ now: Int) throws(AccessProblem) -> Token {
        if let token = tokens.first(where: { $0.id.text == which }) { return token }
        let named = tokens.filter { $0.name == which }
        let good = named.filter { $0.isGood(at: now) }
        if let token = good.count == 1 ? good.first : named.count == 1 ? named.first : nil { return token }
        if named.isEmpty {
            throw AccessProblem("There is no token '\(which)'. 'mcp-bridge token list' shows those there are.")
        }
        let ids = named.map(\.id.text).joined(separator: ", ")
        throw AccessProblem("Several tokens are named '\(which)'. Say which by its id: \(ids).")
    }
}

extension AccessDesk {
    /// By what whoever has the store makes changes of tokens.
    package struct Means {
        /// Writes a token, unless the tokens are not any more those that this was decided by.
        package var write: (Token, @escaping StoreAnswer<TokenChange>) -> Void
        package var revoke: (Token, @escaping StoreAnswer<Void>) -> Void
        /// Whether nobody is let in by a token from its revocation on, be that written or not.
        package var revokesAtOnce: Bool
        /// Decides once more, by the tokens that there are now.
        package var decideAgain: @Sendable () -> Void

        package init(
            write: @escaping (Token, @escaping StoreAnswer<TokenChange>) -> Void,
            revoke: @escaping (Token, @escaping StoreAnswer<Void>) -> Void,
            revokesAtOnce: Bool,
            decideAgain: @escaping @Sendable () -> Void
        ) {
            self.write = write
            self.revoke = revoke
            self.revokesAtOnce = revokesAtOnce
            self.decideAgain = decideAgain
        }
    }
}

extension AccessDesk.Decision {
    /// Asks the store where that is all there is to do, and answers on the store's thread.
    ///
    /// - Parameter tokens: all there are, for their names.
    package func carryOut(
        in store: any AccessStore, tokens: [Token], day: Int, by means: AccessDesk.Means,
        _ answer: @escaping @Sendable (AccessReply) -> Void
    ) {
        switch self {
        case .answer(let reply): answer(reply)
        case .write(let token, let reply):
            let decideAgain = means.decideAgain
            means.write(token) { result in
                switch result {
                case .success(.written): answer(reply)
                case .success(.outdated): decideAgain()
                case .failure(let trouble): answer(.refused(trouble))
                }
            }
        case .revoke(let token, let reply):
            let revokesAtOnce = means.revokesAtOnce
            means.revoke(token) { result in
                switch result {
                case .success: answer(reply)
                case .failure(let trouble):
                    answer(revokesAtOnce ? .unwritten(revocationOf: token, trouble) : .refused(trouble))
                }
            }
        case .usage(let since, let token): Self.usage(since, token, in: store, tokens, day: day, answer)
        case .audit(let query):
            store.rows(query) { page in
                answer(Self.reply(page) { .audit($0.rows.map(AuditReport.init), last: $0.last) })
            }
        }
    }

    private static func usage(
        _ since: Int, _ token: TokenID?, in store: any AccessStore, _ tokens: [Token], day: Int,
        _ answer: @escaping @Sendable (AccessReply) -> Void
    ) {
        store.usage(since: since * 1_000, of: token) { usage in
            store.taken(day: day) { taken in
                let taken = (try? taken.get()) ?? [:]
                let names = Dictionary(tokens.map { ($0.id, $0.name) }) { first, _ in first }
                answer(
                    Self.reply(usage) { usage in
                        .usage(usage.map { UsageReport($0, name: names[$0.token], taken: taken[$0.token]) })
                    })
            }
        }
    }

    private static func reply<Value>(
        _ result: Result<Value, StoreTrouble>, _ body: (Value) -> AccessReply
    ) -> AccessReply {
        switch result {
        case .success(let value): body(value)
        case .failure(let trouble): .refused(trouble)
        }
    }
}

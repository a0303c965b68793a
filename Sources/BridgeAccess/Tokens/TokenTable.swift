/// All tokens, in memory: no request waits for a disk. A look-up takes the same time however many there are.
package struct TokenTable: Sendable {
    /// What is said of a secret. Whoever presented it is told only whether it was granted.
    package enum Verdict: Sendable, Equatable {
        /// - `until`: the second from which this secret is good no longer; `nil` when it is not known to end.
        case granted(Token, until: Int?)
        case unknown
        case expired(TokenID)
        case revoked(TokenID)
    }

    /// Moves with each change. A verdict is as old as the epoch that it was made in; expiry does not move it.
    package private(set) var epoch = 0

    private let key: TokenKey
    private var byID: [TokenID: Token] = [:]
    private var byHash: [TokenHash: TokenID] = [:]
    /// What is looked up in the place of a text that is no secret, so that its refusal takes as long.
    private let nobodys: TokenSecret

    package init(key: TokenKey) {
        self.key = key
        self.nobodys = .random()
    }

    package var count: Int { self.byID.count }
    /// In no order.
    package var tokens: [Token] { Array(self.byID.values) }

    package func token(_ id: TokenID) -> Token? { self.byID[id] }

    /// Whether a secret as it was presented lets somebody in.
    ///
    /// - Parameter now: seconds since 1970.
    package func authenticate(_ presented: Substring, now: Int) -> Verdict {
        self.authenticate(presented, now: now) { self.key.hash($0) }
    }

    /// - Parameter hashing: done once, whatever was presented: it is what takes time.
    func authenticate(_ presented: Substring, now: Int, hashing: (TokenSecret) -> TokenHash) -> Verdict {
        let secret = TokenSecret(presented)
        let hash = hashing(secret ?? self.nobodys)
        guard let id = self.byHash[hash], let token = self.byID[id], secret != nil else { return .unknown }
        if token.revoked != nil { return .revoked(id) }
        if token.isExpired(at: now) { return .expired(id) }
        guard token.hash != hash else { return .granted(token, until: token.expires) }
        guard let previous = token.previous, previous.hash == hash, now < previous.until else { return .expired(id) }
        return .granted(token, until: token.expires.map { min($0, previous.until) } ?? previous.until)
    }

    /// Takes these in the place of all that there were.
    package mutating func replaceAll(with tokens: [Token]) {
        self.byID.removeAll(keepingCapacity: true)
        self.byHash.removeAll(keepingCapacity: true)
        for token in tokens { self.insert(token) }
        self.epoch += 1
    }

    /// Adds a token, or takes it in the place of the one with the same id.
    package mutating func put(_ token: Token) {
        if let old = self.byID[token.id] { self.forget(old) }
        self.insert(token)
        self.epoch += 1
    }

    private mutating func insert(_ token: Token) {
        self.byID[token.id] = token
        self.byHash[token.hash] = token.id
        if let previous = token.previous { self.byHash[previous.hash] = token.id }
    }

    private mutating func forget(_ token: Token) {
        self.byHash[token.hash] = nil
        if let previous = token.previous { self.byHash[previous.hash] = nil }
    }
}

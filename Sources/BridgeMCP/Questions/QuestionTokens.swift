package import BridgeCore

/// The progress tokens of servers' questions. Each server makes its own, and two may make the same: clients are given others.
///
/// Pure.
package struct QuestionTokens<Asker> {
    /// More of one client are not known: a task keeps its token for as long as it lasts.
    package static var maximum: Int { 256 }

    private var byToken: [RPCID: (asker: Asker, number: Int, token: JSONText)] = [:]
    private var lastNumber = Int.random(in: 1..<1 << 40)

    package init() {}

    /// - Parameters:
    ///   - number: of the question, for its asker.
    ///   - token: the server's.
    /// - Returns: what the client is given, of the same kind; nil where there is no room, and nobody hears of progress.
    package mutating func give(_ asker: Asker, _ number: Int, _ token: JSONText) -> JSONText? {
        guard self.byToken.count < Self.maximum else { return nil }
        self.lastNumber += 1
        let given = token.kind == .string ? JSONText(RandomID.make()) : JSONText(self.lastNumber)
        guard let key = RPCID(given) else { return nil }
        self.byToken[key] = (asker, number, token.detached)
        return given
    }

    /// Whose token a client's is.
    package subscript(token: JSONText) -> (asker: Asker, number: Int, token: JSONText)? {
        RPCID(token).flatMap { self.byToken[$0] }
    }

    /// These are good for nothing any more.
    package mutating func forget(where isMeant: (Asker, Int) -> Bool) {
        guard !self.byToken.isEmpty else { return }
        self.byToken = self.byToken.filter { !isMeant($0.value.asker, $0.value.number) }
    }
}

import BridgeAccess

/// Says who somebody is by the secret that they show. Confined to the event loop.
protocol TokenReader: AnyObject {
    /// It takes as long for what is unknown, cut, expired or revoked as for what is good.
    func verdict(on secret: String, at second: Int) -> TokenVerdict
}

enum TokenVerdict: Equatable {
    case good(TokenHolder)
    /// Whatever is wrong with it.
    case bad
    /// Nobody knows which tokens there are.
    case unreadable
}

/// The tokens that there are, as they were last read. Confined to the event loop.
final class KnownTokens: TokenReader {
    /// Called when they are others: what was decided by them is to be decided anew.
    var onChange: (() -> Void)?

    /// `nil` while nobody could read them.
    var table: TokenTable? {
        didSet { self.onChange?() }
    }

    init(_ table: TokenTable? = nil) { self.table = table }

    func verdict(on secret: String, at second: Int) -> TokenVerdict {
        guard let table else { return .unreadable }
        switch table.authenticate(secret[...], now: second) {
        case .granted(let token, let until): return .good(TokenHolder(token, until: until))
        case .unknown, .expired, .revoked: return .bad
        }
    }
}

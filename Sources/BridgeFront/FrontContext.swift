import Hummingbird
import Logging
import NIOCore

/// What a route knows of a request besides the request itself.
struct FrontContext: RequestContext {
    struct Source: RequestContextSource {
        let logger: Logger
        let state: NIOLoopBound<FrontState>
        let connection: NIOLoopBound<ClientConnection>
        let fields: RequestFields
        let admission: FrontDoor.Admission
        let audit: NIOLoopBound<RoutedAudit>
    }

    var coreContext: CoreRequestContextStorage
    let state: NIOLoopBound<FrontState>
    let connection: NIOLoopBound<ClientConnection>
    let fields: RequestFields
    let admission: FrontDoor.Admission
    let audit: NIOLoopBound<RoutedAudit>

    init(source: Source) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.state = source.state
        self.connection = source.connection
        self.fields = source.fields
        self.admission = source.admission
        self.audit = source.audit
    }
}

extension FrontContext {
    /// Call it after a wait, however short: the token that was shown may have ended meanwhile.
    func demandGoodToken() throws {
        guard let token = self.admission.token, let secret = self.fields.secret else { return }
        switch self.state.value.tokens.verdict(on: secret, at: WallClock.seconds()) {
        case .good(let holder) where holder.id == token.id: return
        case .good, .bad: throw Refusal.tokenNotGood
        case .unreadable: throw Refusal.tokensUnreadable
        }
    }
}

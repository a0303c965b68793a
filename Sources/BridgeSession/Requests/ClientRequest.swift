import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// One HTTP request, as the front passes it on.
struct ClientRequest {
    typealias Bindings = BindingTable<BoundCaller>

    /// Who asks, as the request says it.
    enum Asker {
        case named(session: String?, principal: String)
        /// By a number that was given to an earlier request.
        case bound(BoundCaller)
    }

    let exchange: Exchange
    let operation: SessionRequest.Operation
    let asker: Asker
    /// What they see and use of MCP, where that is not all; and how many calls they may have under way. A number says that
    /// already.
    let scope: String?
    let concurrency: Int?
    /// Whether they may answer requests for models.
    let mayLend: Bool
    /// Whether they do, by the word of the command that carries them.
    let lends: Bool
    /// Whether they may sign in for the service.
    let isOwner: Bool
    /// Names it in every process's log.
    let requestID: String
    /// How the client's address wants names to be shown, where it says so.
    let names: String?
    /// Of a GET: the event that the client saw last.
    let lastEventID: String?
    let body: ByteBuffer?
    /// What the body is counted by, for as long as any part of it is kept.
    let hold: PayloadHold?
    let now: NIODeadline
    private let binding: BindingNumber?
    private let bindings: Bindings

    /// `nil` when it asks in the name of nobody that is known: the exchange is over then.
    ///
    /// - Parameter bindings: of the link that it came by.
    init?(_ opening: SessionOpening, _ exchange: Exchange, _ bindings: Bindings, now: NIODeadline) {
        switch opening {
        case .whole(let header):
            self.operation = header.operation
            self.asker = .named(session: header.sessionID, principal: header.principal)
            self.scope = header.scope
            self.concurrency = header.concurrency
            self.mayLend = header.mayLend
            self.lends = header.lends
            self.isOwner = header.isOwner
            self.requestID = header.requestID
            self.names = header.names
            self.lastEventID = header.lastEventID
            self.binding = header.binding
        case .bound(let number, let requestID):
            guard let caller = bindings[number] else {
                exchange.end(header: SessionEnd.unknownBinding, payload: exchange.takePayload().bytes)
                return nil
            }
            self.operation = .post
            self.asker = .bound(caller)
            self.scope = nil
            self.concurrency = nil
            self.mayLend = false
            self.lends = false
            self.isOwner = false
            self.requestID = requestID
            self.names = caller.names
            self.lastEventID = nil
            self.binding = nil
        }
        self.exchange = exchange
        self.bindings = bindings
        self.now = now
        (self.body, self.hold) = exchange.takePayload()
    }

    /// Whether it names a session, a good one or not.
    var isInSession: Bool {
        switch self.asker {
        case .named(let session, _): session != nil
        case .bound: true
        }
    }

    var principal: String {
        switch self.asker {
        case .named(_, let principal): principal
        case .bound(let caller): caller.identity.claims.principal
        }
    }

    /// Who asks is known: from now on by a number, too, if the request gives one.
    func bind(_ identity: SessionIdentity, epoch: Int) {
        guard let binding else { return }
        self.bindings.bind(binding, to: BoundCaller(identity, names: self.names, epoch: epoch))
    }

    /// Answers it as a whole.
    func refuse(_ fault: ToldFault, id: ByteBuffer? = nil) {
        self.exchange.end(header: SessionEnd(fault.fault.status).text(capacity: 32), payload: fault.reply(to: id))
    }
}

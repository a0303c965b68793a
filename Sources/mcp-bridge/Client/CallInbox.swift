import BridgeCore
import BridgeHTTPClient
import BridgeMCP
import Synchronization

/// What happens while a call runs, for the thread that waits for it.
final class CallInbox: Sendable {
    enum Event: Sendable {
        /// The server has a question: `elicitation/create`.
        case asked(RPCID, JSONText)
        /// It does not want to know any more.
        case withdrawn(RPCID)
        /// A page that somebody was asked to open has done what it was for.
        case pageDone(String)
        /// An answer did not get there.
        case undelivered(String)
        case ended(Result<JSONText, any Error>)
    }

    let pipe: WakingPipe
    private let events = Mutex<[Event]>([])

    init() throws { self.pipe = try WakingPipe() }

    func add(_ event: Event) {
        self.events.withLock { $0.append(event) }
        self.pipe.wake()
    }

    func take() -> [Event] {
        self.events.withLock { events in
            defer { events = [] }
            return events
        }
    }
}

/// Hears what a server says in the middle of a call. On the event loop.
final class CallEar: MCPSessionDelegate {
    private let inbox: CallInbox

    init(_ inbox: CallInbox) { self.inbox = inbox }

    func received(_ message: RPCMessage, of session: MCPSession) {
        let params = message.params.map { message.text[$0] } ?? .emptyObject
        switch (message.method, message.rpcID) {
        case ("elicitation/create", let id?): self.inbox.add(.asked(id, params))
        case ("notifications/cancelled", nil):
            if let id = params.value("requestId").flatMap({ RPCID($0) }) { self.inbox.add(.withdrawn(id)) }
        case ("notifications/elicitation/complete", nil):
            if let id = params.string("elicitationId") { self.inbox.add(.pageDone(id)) }
        case (let method, let id?): _ = session.refuse(id, code: -32601, "Method not found: \(method ?? "")")
        case (_, nil): break
        }
    }
}

import BridgeAccess
import NIOCore

/// What all requests of the model APIs share in the front. Confined to the event loop.
final class ChatDesk {
    /// How long the head of a streamed answer waits for it, so that an early failure has a status of its own. (A client's own
    /// patience and idle proxies bound it; ``FrontConfiguration/keepAliveInterval`` may be shorter.)
    var headPatience = TimeAmount.seconds(10)
    var pace = RecordPace()
    /// When models were made, as lists of them say: nobody knows it, and it must not change from one list to the next.
    let began = WallClock.seconds()

    private var turnstile = ChatTurnstile()
    private var begins: [ChatTurnstile.Ticket: () -> Void] = [:]
    private var lastTicket: ChatTurnstile.Ticket = 0

    /// A request's turn among those of its token.
    struct Turn {
        fileprivate let ticket: ChatTurnstile.Ticket
        fileprivate let token: TokenHolder
        fileprivate let most: Int
    }

    /// - Parameter begin: called when it is its turn, if that is later.
    /// - Returns: its turn, to be given back with ``end(_:)``, and whether it has come; nil where too many wait.
    func turn(of token: TokenHolder, most: Int, begin: @escaping () -> Void) -> (turn: Turn, hasCome: Bool)? {
        self.lastTicket += 1
        let ticket = self.lastTicket
        switch self.turnstile.arrived(ticket, of: token.id, most: most) {
        case .begins: return (Turn(ticket: ticket, token: token, most: most), true)
        case .waits:
            self.begins[ticket] = begin
            return (Turn(ticket: ticket, token: token, most: most), false)
        case .refused: return nil
        }
    }

    /// It is over, or will never begin.
    func end(_ turn: Turn) {
        if self.begins.removeValue(forKey: turn.ticket) != nil {
            return self.turnstile.left(turn.ticket, of: turn.token.id)
        }
        let next = self.turnstile.ended(turn.token.id, most: turn.most).compactMap {
            self.begins.removeValue(forKey: $0)
        }
        for begin in next { begin() }
    }
}

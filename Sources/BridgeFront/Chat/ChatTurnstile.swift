import BridgeAccess
import NIOCore

/// Lets requests of one token to models begin as the token's limit of requests under way allows. Those beyond it wait for
/// their turn, in their order: agents send dozens of small requests at once, and would send again what is refused.
///
/// Pure: whoever owns it tells what came and went, and starts what comes back.
struct ChatTurnstile {
    /// Names one request.
    typealias Ticket = UInt64

    /// Of one token.
    static let maximumWaiting = 1_024

    enum Arrival: Equatable { case begins, waits, refused }

    private var running = Concurrency<TokenID>()
    private var waiting: [TokenID: CircularBuffer<Ticket>] = [:]

    /// - Parameter most: how many of the token may be under way.
    mutating func arrived(_ ticket: Ticket, of token: TokenID, most: Int) -> Arrival {
        let queue = self.waiting[token]?.count ?? 0
        if queue == 0, self.running.begin(token, most: most) { return .begins }
        guard queue < Self.maximumWaiting else { return .refused }
        self.waiting[token, default: CircularBuffer()].append(ticket)
        return .waits
    }

    /// One that waits will not begin any more.
    mutating func left(_ ticket: Ticket, of token: TokenID) {
        self.waiting[token]?.removeAll { $0 == ticket }
        self.tidy(token)
    }

    /// One that had begun is over.
    ///
    /// - Returns: those that begin now.
    mutating func ended(_ token: TokenID, most: Int) -> [Ticket] {
        self.running.end(token)
        var next: [Ticket] = []
        while let first = self.waiting[token]?.first, self.running.begin(token, most: most) {
            self.waiting[token]?.removeFirst()
            next.append(first)
        }
        self.tidy(token)
        return next
    }

    private mutating func tidy(_ token: TokenID) {
        if self.waiting[token]?.isEmpty == true { self.waiting[token] = nil }
    }
}

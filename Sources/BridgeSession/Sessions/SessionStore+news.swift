import BridgeMCP
import NIOCore

/// What all sessions are told, or those that it concerns.
extension SessionStore {
    /// That lists are others: to whoever sees any of what is another.
    func tell(_ news: ListNews) {
        var concerned: [ObjectIdentifier: Bool] = [:]
        for session in self.all {
            if let view = session.caller.view {
                let isConcerned = concerned[ObjectIdentifier(view)] ?? news.concerns(view)
                concerned[ObjectIdentifier(view)] = isConcerned
                guard isConcerned else { continue }
            }
            session.tell(news.change)
        }
    }

    /// A notification that belongs to no call: to the clients that use this upstream now, else to all that listen. It may be
    /// about anything that the server has: who sees some of its tools only is not told.
    func tell(_ note: ByteBuffer, from upstream: UpstreamLink) {
        let severity = LogMessage.severity(of: note)
        let listening = self.all.filter { session in
            !session.listening.isEmpty && session.caller.wants(severity)
                && session.caller.sees(upstream)
        }
        let users = listening.filter { $0.caller.isUsing(upstream) }
        for session in users.isEmpty ? listening : users where session.caller.seesAll(of: upstream) {
            if !session.tell(note) { self.retention.dropped() }
        }
    }

    /// A notification that belongs to no call, over a lane that is one session's or one principal's.
    func tell(_ note: ByteBuffer, toOwner owner: String, of upstream: UpstreamLink) {
        let severity = LogMessage.severity(of: note)
        for session in self.all where session.caller.lane(to: upstream) == owner {
            if session.caller.wants(severity), !session.listening.isEmpty, !session.tell(note) {
                self.retention.dropped()
            }
        }
    }
}

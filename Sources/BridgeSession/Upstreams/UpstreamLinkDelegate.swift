import BridgeMCP
import NIOCore

/// Hears what an upstream has to tell.
protocol UpstreamLinkDelegate: AnyObject {
    /// Who the upstream is, is known: now, or anew.
    func upstreamIdentified(_ upstream: UpstreamLink)
    func upstream(_ upstream: UpstreamLink, listed offering: Offering)
    /// It asks in the middle of calls, as has just been seen.
    func upstreamAsks(_ upstream: UpstreamLink)
    /// Its phase is another.
    func upstreamSettled(_ upstream: UpstreamLink)
    /// It sent a notification that belongs to no call.
    ///
    /// - Parameter owner: whose lane it came over; nil where everybody shares it.
    func upstream(_ upstream: UpstreamLink, noted note: ByteBuffer, for owner: String?)
    /// It sent a notification about a task of this life of its server.
    func upstream(_ upstream: UpstreamLink, noted note: ByteBuffer, ofTaskIn life: Int)
}

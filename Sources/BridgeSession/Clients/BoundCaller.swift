import BridgeMCP

/// Who asks, as it was found for a number that the front names them by: the verdict that the session is good and theirs.
///
/// It has an end of its own, the session's, and an epoch: in a later one it is looked at again. What is asked is judged
/// for each request, as if there were no number. Confined to the event loop.
final class BoundCaller {
    let identity: SessionIdentity
    /// How the client's address wants names to be shown, where it says so.
    let names: String?
    /// Of the sessions when it was last looked at.
    private var epoch: Int

    /// - Parameter identity: good for the principal that asks, in this epoch.
    init(_ identity: SessionIdentity, names: String?, epoch: Int) {
        self.identity = identity
        self.names = names
        self.epoch = epoch
    }

    /// When it is over, whatever else happens, in seconds since 1970.
    private var end: UInt64 { self.identity.claims.expires }

    /// Whether the verdict stands at this second.
    ///
    /// - Parameter isEnded: whether a session was ended, by its number. Asked only in a new epoch.
    func stands(at second: UInt64, epoch: Int, isEnded: (UInt64) -> Bool) -> Bool {
        guard second < self.end else { return false }
        guard epoch != self.epoch else { return true }
        guard !isEnded(self.identity.claims.number) else { return false }
        self.epoch = epoch
        return true
    }
}

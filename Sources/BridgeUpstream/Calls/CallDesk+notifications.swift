import BridgeCore
import NIOCore

// What a server tells of calls that are under way.

extension CallDesk {
    func progressed(_ id: Int, _ notification: RPCMessage, token: JSONSpan) {
        self.pending.progressed(id, now: .now())?.progress(notification, token: token)
    }

    /// Passes on what came on a call's own stream; nobody hears of it where the call is over.
    func tell(_ notification: RPCMessage, to id: Int) {
        if self.pending.isUnderWay(id) { self.pending.caller(id)?.log(notification) }
    }

    /// Passes a log message to the call that it must be about, if there is just one.
    ///
    /// - Returns: whether there was.
    func log(_ notification: RPCMessage) -> Bool {
        guard let call = (self.pending.onlyInTurn ?? self.pending.onlyWritten)?.caller else { return false }
        call.log(notification)
        return true
    }
}

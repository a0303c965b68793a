import BridgeCore
import NIOCore

extension Call {
    /// Asks the owner to sign in, where that is why it has not run.
    ///
    /// - Parameter answer: what it is told where no page is to be had.
    /// - Returns: whether its client is answered later.
    func invites(_ answer: ByteBuffer) -> Bool {
        guard !self.mayHaveRun, let signIns = self.desk.signIns, signIns.mayAsk(self.caller, about: self.upstream)
        else {
            return false
        }
        signIns.answer(to: self.id.bytes, of: self.caller, about: self.upstream) { page in
            self.finish(page ?? answer, failure: Fault.upstreamUnavailable.word)
        }
        return true
    }
}

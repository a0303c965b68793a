import BridgeCore
import BridgeMCP
import NIOCore

/// What cannot run before somebody has signed in.
extension CallDesk {
    /// Refuses a request whose entry is not known. Where a sign-in is all that is missing, the owner is asked for that.
    func refuse(_ request: PendingRequest, unknown name: String, of offering: Offering) {
        let fault = self.directory.unknown(name, of: offering, for: request.caller.view)
        guard let upstream = self.directory.awaitingSignIn(name, of: offering, for: request.caller.view),
            let signIns, signIns.mayAsk(request.caller, about: upstream)
        else { return request.refuse(fault) }
        signIns.answer(to: request.id.bytes, of: request.caller, about: upstream) { answer in
            guard let answer else { return request.refuse(fault) }
            request.stream.reply(answer, failure: fault.word)
        }
    }
}

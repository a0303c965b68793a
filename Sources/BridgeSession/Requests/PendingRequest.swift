import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// One JSON-RPC request of a POST, which gets exactly one answer.
struct PendingRequest {
    var message: RPCMessage
    let id: RPCID
    let method: Method
    /// Where its answer goes.
    let stream: ClientStream
    /// Names it in every process's log.
    let requestID: String
    /// How the client's address wants names to be shown, where it says so.
    let names: String?
    let hold: PayloadHold?
    let now: NIODeadline

    var caller: Caller { self.stream.caller }

    func refuse(_ fault: ToldFault) { self.stream.refuse(self.id, fault) }
    func succeed(_ result: JSONText = .emptyObject) {
        self.stream.reply(RPCReply.result(id: self.id.bytes, result))
    }

    /// The member of `params` by which an entry of an offering is named.
    func name(in offering: Offering) -> String? {
        let span = offering.isNamed ? self.message.name : self.message.param(offering.identity.text)
        return span.flatMap { self.message.text[$0].string }
    }
}

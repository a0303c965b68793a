import BridgeCore
import NIOCore

/// A client's word that it does not want an answer any more (`notifications/cancelled`).
///
/// It counts for a request that is under way in the same session, under just the id that the client gave it: `7` is not
/// `"7"`. What it says of any other id, of one that has been answered, or of `initialize`, is ignored.
struct Cancellation {
    let id: RPCID
    /// In the client's words, for the server.
    let reason: String

    /// The same towards a client: that a question need not be answered any more.
    static func message(of question: String, reason: String) -> ByteBuffer {
        JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("method", "notifications/cancelled")
            message.memberObject("params") {
                $0.member("requestId", question)
                $0.member("reason", reason)
            }
        }.bytes
    }

    /// Nobody reads more; and it travels ahead of everything else.
    private static let maximumReason = 1_024

    /// `nil` for any other message, and where it names no request.
    init?(_ message: RPCMessage) {
        guard message.method == "notifications/cancelled",
            let id = message.param("requestId").flatMap({ RPCID(message.text[$0]) })
        else { return nil }
        self.id = id
        let told = message.param("reason").flatMap { message.text[$0].string }
        self.reason = told.map { String($0.unicodeScalars.prefix(Self.maximumReason)) } ?? Fault.cancelled.word
    }
}

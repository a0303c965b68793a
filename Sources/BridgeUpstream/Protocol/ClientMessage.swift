import BridgeConfiguration
import BridgeCore
import NIOCore

/// The messages that the bridge sends to an upstream on its own behalf.
enum ClientMessage {
    static func request(id: Int, method: String, parameters: JSONText? = nil) -> JSONText {
        JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("id", id)
            message.member("method", method)
            message.member("params", ifPresent: parameters)
        }
    }

    static func notification(method: String, parameters: JSONText? = nil) -> JSONText {
        JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("method", method)
            message.member("params", ifPresent: parameters)
        }
    }

    static func cancelled(id: Int, reason: String) -> JSONText {
        self.notification(
            method: "notifications/cancelled",
            parameters: JSONWriter.object {
                $0.member("requestId", id)
                $0.member("reason", reason)
            }
        )
    }

    /// The one answer that a request of the upstream's gets.
    ///
    /// - Parameter id: the request's, as it was written.
    static func answer(to method: String, id: ByteBuffer, roots: [Root]) -> JSONText {
        switch method {
        case "ping": return JSONText(trusting: RPCReply.result(id: id, .emptyObject))
        case "roots/list": return JSONText(trusting: RPCReply.result(id: id, self.list(of: roots)))
        default:
            let quoted = ForeignText.printable(ByteBuffer(string: method), limit: 128)
            let told = "mcp-bridge does not answer '\(quoted)'; it declared no capability for it."
            return JSONText(
                trusting: RPCReply.error(
                    id: id, code: Fault.methodNotFound.code, message: "Method not found: \(told)"))
        }
    }

    /// The answer to a request that cannot be read.
    ///
    /// - Parameter id: as it was written, where it can be told; on stdio it is null where it cannot.
    static func refusal(of id: JSONText?, reason: String) -> JSONText {
        let fault = Fault.invalidRequest
        return JSONText(
            trusting: RPCReply.error(
                id: id?.bytes ?? RPCReply.unreadableID, code: fault.code, message: "Invalid Request: \(reason)"))
    }

    private static func list(of roots: [Root]) -> JSONText {
        JSONWriter.object { result in
            result.memberArray("roots") { list in
                for root in roots {
                    list.object {
                        $0.member("uri", root.uri)
                        $0.member("name", ifPresent: root.name)
                    }
                }
            }
        }
    }
}

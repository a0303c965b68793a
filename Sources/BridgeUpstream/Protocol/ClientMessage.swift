import BridgeConfiguration
import BridgeCore
import NIOCore

/// The lines that the bridge sends to an upstream on its own behalf, each with its line end.
enum ClientMessage {
    static func request(id: Int, method: String, parameters: JSONText? = nil) -> ByteBuffer {
        self.line { message in
            message.member("jsonrpc", "2.0")
            message.member("id", id)
            message.member("method", method)
            message.member("params", ifPresent: parameters)
        }
    }

    static func notification(method: String, parameters: JSONText? = nil) -> ByteBuffer {
        self.line { message in
            message.member("jsonrpc", "2.0")
            message.member("method", method)
            message.member("params", ifPresent: parameters)
        }
    }

    static func cancelled(id: Int, reason: String) -> ByteBuffer {
        self.notification(
            method: "notifications/cancelled",
            parameters: JSONWriter.object {
                $0.member("requestId", id)
                $0.member("reason", reason)
            }
        )
    }

    private static func line(_ body: (inout JSONWriter) -> Void) -> ByteBuffer {
        var line = JSONWriter.object(body).bytes
        line.writeLineEnd()
        return line
    }

    /// The one answer that a request of the upstream's gets.
    ///
    /// - Parameter id: the request's, as it was written.
    static func answer(to method: String, id: ByteBuffer, roots: [Root]) -> ByteBuffer {
        // The id is a string or a number, so no line end can be in it.
        var line: ByteBuffer
        switch method {
        case "ping": line = RPCReply.result(id: id, JSONText.emptyObject)
        case "roots/list": line = RPCReply.result(id: id, self.list(of: roots))
        default:
            let quoted = ForeignText.printable(ByteBuffer(string: method), limit: 128)
            line = RPCReply.error(
                id: id, code: -32601,
                message: "Method not found: mcp-bridge does not answer '\(quoted)'; it declared no capability for it."
            )
        }
        line.writeLineEnd()
        return line
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

extension ByteBuffer {
    mutating func writeLineEnd() {
        self.writeInteger(UInt8(ascii: "\n"))
    }

    /// Makes one line of what was appended since `start`: JSON holds raw line ends only between its tokens, where a blank
    /// does as well.
    mutating func joinLines(from start: Int) {
        let end = self.writerIndex
        for byte in [UInt8(ascii: "\n"), UInt8(ascii: "\r")] {
            var offset = start - self.readerIndex
            while let found = self.firstOffset(of: byte, from: offset), self.readerIndex + found < end {
                self.setInteger(UInt8(ascii: " "), at: self.readerIndex + found)
                offset = found + 1
            }
        }
    }
}

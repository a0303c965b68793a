package import NIOCore

/// JSON-RPC responses that the bridge makes itself.
package enum RPCReply {
    /// What stands for an id that could not be read in an error that has to have one (JSON-RPC 2.0, section 5).
    package static let unreadableID = ByteBuffer(string: "null")

    /// An error response. `id` is the raw JSON of the request's id; without one it has none.
    package static func error(id: ByteBuffer?, code: Int, message: String, data: JSONText? = nil) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity((id?.readableBytes ?? 0) + message.utf8.count + (data?.count ?? 0) + 96)
        buffer.writeStaticString(#"{"jsonrpc":"2.0""#)
        if let id {
            buffer.writeStaticString(#","id":"#)
            buffer.writeImmutableBuffer(id)
        }
        buffer.writeStaticString(#","error":{"code":"#)
        buffer.writeString(String(code))
        buffer.writeStaticString(#","message":"#)
        buffer.writeJSONString(message)
        if let data {
            buffer.writeStaticString(#","data":"#)
            buffer.writeImmutableBuffer(data.bytes)
        }
        buffer.writeStaticString("}}")
        return buffer
    }

    /// An error response around an error that is valid JSON already. `id` is the raw JSON of the request's id.
    package static func error(id: ByteBuffer, _ error: JSONText) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(id.readableBytes + error.count + 36)
        buffer.writeStaticString(#"{"jsonrpc":"2.0","id":"#)
        buffer.writeImmutableBuffer(id)
        buffer.writeStaticString(#","error":"#)
        error.write(to: &buffer)
        buffer.writeStaticString("}")
        return buffer
    }

    /// A result response around a result that is valid JSON already. `id` is the raw JSON of the request's id.
    package static func result(id: ByteBuffer, _ result: ByteBuffer) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(id.readableBytes + result.readableBytes + 36)
        buffer.writeStaticString(#"{"jsonrpc":"2.0","id":"#)
        buffer.writeImmutableBuffer(id)
        buffer.writeStaticString(#","result":"#)
        buffer.writeImmutableBuffer(result)
        buffer.writeStaticString("}")
        return buffer
    }

    package static func result(id: ByteBuffer, _ result: JSONText) -> ByteBuffer {
        self.result(id: id, result.bytes)
    }
}

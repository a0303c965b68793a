package import NIOCore
package import NIOHTTP1

/// What came in answer to a message, once all of it has come.
package struct MCPAnswer: Sendable {
    package let head: HTTPResponseHead
    /// The text of a body, or the last of a stream's events that is a JSON-RPC response; `nil` when there is neither.
    package let message: ByteBuffer?
}

import Hummingbird
import NIOCore

extension Request {
    /// Reads the whole body, as long as it is not longer than `limit`.
    ///
    /// Call it once, on the event loop.
    func collect(limit: Int, _ context: FrontContext) async throws -> ByteBuffer {
        if let length = context.fields.contentLength, length > limit { throw Refusal.contentTooLarge(limit: limit) }
        if context.fields.expectsContinue { context.connection.value.sendContinue() }
        var whole: ByteBuffer?
        for try await part in self.body {
            let length = (whole?.readableBytes ?? 0) + part.readableBytes
            guard length <= limit else { throw Refusal.contentTooLarge(limit: limit) }
            guard context.connection.value.payloads.holdRequest(upTo: length) else { throw Refusal.overloadedBody }
            if whole == nil {
                whole = part
                if let length = context.fields.contentLength, length > part.readableBytes {
                    whole?.reserveCapacity(length)
                }
            } else {
                whole?.writeImmutableBuffer(part)
            }
        }
        guard context.connection.value.requestIsComplete else { throw Refusal.incompleteBody }
        return whole ?? ByteBuffer()
    }
}

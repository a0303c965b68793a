import NIOCore

extension JSONText {
    /// The same text in bytes of its own, so that it does not keep in memory what it was cut from.
    package var detached: JSONText { JSONText(trusting: ByteBuffer(bytes: self.bytes.readableBytesView)) }
}

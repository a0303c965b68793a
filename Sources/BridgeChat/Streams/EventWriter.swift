import BridgeCore
import NIOCore

/// Writes events of an event stream. Ids, retry times and empty data are never written: SDKs stumble over them.
struct EventWriter {
    private(set) var buffer = ByteBuffer()

    /// An event with data on one line, under a name where the dialect has names.
    mutating func event(_ name: String? = nil, _ body: (inout JSONWriter) -> Void) {
        if let name { self.buffer.writeString("event: \(name)\n") }
        self.buffer.writeStaticString("data: ")
        var writer = JSONWriter(self.buffer)
        self.buffer = ByteBuffer()
        writer.object(body)
        self.buffer = writer.buffer
        self.buffer.writeStaticString("\n\n")
    }

    /// What ends a stream of chat chunks.
    mutating func done() { self.buffer.writeStaticString("data: [DONE]\n\n") }

    /// A line that every parser of event streams passes over.
    mutating func comment() { self.buffer.writeStaticString(": waiting\n\n") }
}

import BridgeCore
import NIOCore

/// Messages of the bridge's own on their way to a server, in their order.
struct Outbox {
    /// Of what a server does not read.
    private static let maximumOctets = 4 << 20
    static let limit = "more than \(maximumOctets) bytes wait, a fixed limit"

    private var messages = CircularBuffer<(text: JSONText, request: Int?)>(initialCapacity: 4)
    private var octets = 0

    /// Whether the server leaves too much unread.
    var isFull: Bool { self.octets > Self.maximumOctets }

    /// - Parameter request: the message's id, where it is a request.
    mutating func add(_ message: JSONText, request: Int?) {
        self.messages.append((message, request))
        self.octets += message.count
    }

    /// Sends what the connection takes.
    mutating func send(on connection: any Connection) {
        while connection.isWritable, let (message, request) = self.messages.popFirst() {
            self.octets -= message.count
            connection.send(message, request: request)
        }
    }

    mutating func clear() { self = Outbox() }
}

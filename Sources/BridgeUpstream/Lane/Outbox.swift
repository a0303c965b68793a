import BridgeCore
import NIOCore

/// Messages of the bridge's own on their way to a server, in their order.
struct Outbox {
    /// Of what a server does not read.
    private static let maximumOctets = 4 << 20
    static let limit = "more than \(maximumOctets) bytes wait, a fixed limit"

    private var messages = CircularBuffer<(text: JSONText, request: Int?, isAnswer: Bool)>(initialCapacity: 4)
    private var octets = 0
    /// Of answers to what the server asks. They are clients', who cannot know how it reads: they end no connection.
    private static let maximumAnswers = 64 << 20
    private var answerOctets = 0

    /// Whether an answer of this size may wait.
    func hasRoom(forAnswer octets: Int) -> Bool { self.answerOctets + octets <= Self.maximumAnswers }

    /// Whether the server leaves too much unread.
    var isFull: Bool { self.octets > Self.maximumOctets }

    /// - Parameter request: the message's id, where it is a request.
    mutating func add(_ message: JSONText, request: Int?) {
        self.messages.append((message, request, false))
        self.octets += message.count
    }

    mutating func add(answer: JSONText) {
        self.messages.append((answer, nil, true))
        self.answerOctets += answer.count
    }

    /// Sends what the connection takes.
    mutating func send(on connection: any Connection) {
        while connection.takesOwnWords, let (message, request, isAnswer) = self.messages.popFirst() {
            if isAnswer { self.answerOctets -= message.count } else { self.octets -= message.count }
            connection.send(message, request: request)
        }
    }

    mutating func clear() { self = Outbox() }
}

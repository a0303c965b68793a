import BridgeCore
package import NIOCore

/// Writes the events of one streamed answer: keep-alives while it is waited for, then all of it, or an error.
///
/// Every stream has one end. What is asked for after it comes out empty.
package struct ChatStream: Sendable {
    package struct Options: Sendable, Hashable {
        /// Chat chunks: usage stands on the chunk with the finish reason, for clients that die of one without choices.
        package var putsUsageOnFinish = false
        /// Messages: `data: [DONE]` after `message_stop`, as the seed's clients know it.
        package var endsMessagesWithDone = false

        package init() {}
    }

    /// How long a stream may be silent.
    package static let keepAliveInterval = Duration.seconds(15)
    /// How long the head of a response waits for the source's first word, so that an early failure has its own status:
    /// what fails in mid-stream is sent again by some clients, and idle proxies cut a response that says nothing.
    package static let headPatience = Duration.seconds(10)

    private enum State {
        /// Nothing was sent. May move to `open` or `ended`.
        case idle
        /// Something was sent, and nothing of the answer. May move to `ended`.
        case open
        case ended
    }

    private var state = State.idle
    private var dialect: any DialectStream

    package init(
        _ dialect: ChatDialect, request: ChatRequest, identity: ReplyIdentity, options: Options = Options()
    ) {
        switch dialect {
        case .completions: self.dialect = CompletionsStream(request: request, identity: identity, options: options)
        case .responses: self.dialect = ResponsesStream(request: request, identity: identity)
        case .messages: self.dialect = MessagesStream(request: request, identity: identity, options: options)
        }
    }

    /// Something that keeps the connection alive, and counts with clients that do not count comments.
    package mutating func keepAlive() -> ByteBuffer {
        if case .ended = self.state { return ByteBuffer() }
        self.state = .open
        var events = EventWriter()
        self.dialect.keepAlive(&events)
        return events.buffer
    }

    /// The whole answer, to the end of the stream.
    ///
    /// - Parameter answer: fitted to the request.
    package mutating func answer(_ answer: ChatAnswer) -> ByteBuffer {
        if case .ended = self.state { return ByteBuffer() }
        self.state = .ended
        var events = EventWriter()
        self.dialect.answer(answer, &events)
        return events.buffer
    }

    /// The error that ends the stream. Where nothing was sent yet, a status and a body say it better.
    package mutating func fail(_ fault: ChatFault) -> ByteBuffer {
        if case .ended = self.state { return ByteBuffer() }
        self.state = .ended
        var events = EventWriter()
        self.dialect.fail(fault, &events)
        return events.buffer
    }

    /// Whether a failure can still have a status of its own.
    package var hasBegun: Bool {
        if case .idle = self.state { false } else { true }
    }
}

/// One dialect's way of it. It is told of one end.
protocol DialectStream: Sendable {
    mutating func keepAlive(_ events: inout EventWriter)
    mutating func answer(_ answer: ChatAnswer, _ events: inout EventWriter)
    mutating func fail(_ fault: ChatFault, _ events: inout EventWriter)
}

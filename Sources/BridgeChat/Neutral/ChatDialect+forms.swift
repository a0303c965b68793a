package import BridgeCore

extension ChatDialect {
    /// The request that a body of this dialect is.
    ///
    /// - Throws: what is wrong with it, or what nobody here can do. No source has been asked then.
    package func request(from body: JSONText) throws(ChatFault) -> ChatRequest {
        switch self {
        case .completions: try CompletionsReader.read(body)
        case .responses: try ResponsesReader.read(body)
        case .messages: try MessagesReader.read(body)
        }
    }

    /// The body of this dialect that a request is.
    ///
    /// - Parameter keepsExtras: whether members that were only carried go along.
    /// - Throws: what the dialect has no words for.
    package func body(of request: ChatRequest, keepsExtras: Bool = false) throws(ChatFault) -> JSONText {
        switch self {
        case .completions: CompletionsWriter.body(request, keepsExtras: keepsExtras)
        case .responses: ResponsesWriter.body(request, keepsExtras: keepsExtras)
        case .messages: try MessagesWriter.body(request, keepsExtras: keepsExtras)
        }
    }

    /// The answer that a body of this dialect is.
    ///
    /// - Throws: ``ChatFaultKind/badAnswer``.
    package func answer(from body: JSONText) throws(ChatFault) -> ChatAnswer {
        switch self {
        case .completions: try CompletionsAnswer.read(body)
        case .responses: try ResponsesAnswer.read(body)
        case .messages: try MessagesAnswer.read(body)
        }
    }

    /// The body of this dialect that an answer is.
    ///
    /// - Parameter answer: fitted to the request.
    package func body(of answer: ChatAnswer, to request: ChatRequest, identity: ReplyIdentity) -> JSONText {
        switch self {
        case .completions: CompletionsAnswer.body(answer, to: request, identity: identity)
        case .responses: ResponsesAnswer.body(answer, to: request, identity: identity)
        case .messages: MessagesAnswer.body(answer, to: request, identity: identity)
        }
    }
}

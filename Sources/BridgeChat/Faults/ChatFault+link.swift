package import BridgeCore

// How a fault travels between processes, where it is in no dialect.
extension ChatFault {
    /// The fault that comes from behind the front. One that nobody knows is ``ChatFaultKind/internal``.
    package init(_ failure: ChatFailure) {
        self.init(
            ChatFaultKind.named(failure.word) ?? .internal, failure.message, param: failure.param,
            retryAfter: failure.retryAfter, detail: failure.detail, sourceWasAsked: failure.sourceWasAsked)
    }

    /// As the link has it.
    package var failure: ChatFailure {
        ChatFailure(
            self.kind.word, self.message, param: self.param, retryAfter: self.retryAfter, detail: self.detail,
            sourceWasAsked: self.sourceWasAsked)
    }
}

extension ChatFaultKind {
    private static let byWord = Dictionary(uniqueKeysWithValues: Self.all.map { ($0.word, $0) })

    /// The kind of a word.
    package static func named(_ word: String) -> ChatFaultKind? { Self.byWord[word] }
}

extension ChatRemarks {
    /// What was made of a request for its source.
    package init(_ remarks: ChatSourceRemarks) {
        self.init()
        for name in remarks.ignored { self.ignore(name) }
        for name in remarks.approximated { self.approximate(name) }
    }
}

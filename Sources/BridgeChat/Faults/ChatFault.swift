/// Why a request is not answered, as its client is told in its own dialect.
package struct ChatFault: Error, Sendable, Hashable {
    package var kind: ChatFaultKind
    /// A sentence for people.
    package var message: String
    /// The member that it is about: `messages[2].content`.
    package var param: String?
    /// In seconds. See ``retryDelay``.
    package var retryAfter: Int?
    /// A text that stands beside the error, for programs that look for it there.
    package var detail: String?
    /// Whether a source has been asked: then asking again could ask its user again.
    package var sourceWasAsked = false

    package init(
        _ kind: ChatFaultKind, _ message: String, param: String? = nil, retryAfter: Int? = nil, detail: String? = nil,
        sourceWasAsked: Bool = false
    ) {
        self.kind = kind
        self.message = Self.shortened(message, to: Self.maximumMessage)
        self.param = param
        self.retryAfter = retryAfter
        self.detail = detail
        self.sourceWasAsked = sourceWasAsked
    }

    /// Something in the request is not as the dialect has it.
    static func invalid(_ param: String, _ what: String) -> ChatFault {
        ChatFault(
            .invalidRequest, param.isEmpty ? what : "Invalid value for '\(param)': \(what)",
            param: param.isEmpty ? nil : param)
    }

    /// Something in the request is right, and nobody here can do it.
    static func unsupported(_ param: String, _ what: String) -> ChatFault {
        ChatFault(.unsupported, "'\(param)' is not supported here: \(what)", param: param)
    }
}

// Words of others in a message.
extension ChatFault {
    /// In bytes.
    static let maximumMessage = 2_048

    /// A name that somebody else has chosen, as a message shows it.
    static func quoted(_ name: String) -> String { "'\(Self.shortened(name, to: 64))'" }

    /// At most so many bytes, and an ellipsis where there was more.
    package static func shortened(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: limit)
        while end > text.startIndex, UTF8.isContinuation(text.utf8[end]) { end = text.utf8.index(before: end) }
        return String(text[..<end]) + "…"
    }
}

extension ChatFault {
    /// What `x-should-retry` says; nil where the status says enough. SDKs obey it in both directions.
    package var shouldRetry: Bool? {
        switch self.kind.retry {
        case .never: false
        case .byStatus: self.sourceWasAsked && self.kind.status >= 500 ? false : nil
        }
    }

    /// What `Retry-After` says, in seconds. SDKs sleep as long as it says, one of them without limit: never more than a
    /// minute, unless they are told not to retry. 0 is read as nothing.
    package var retryDelay: Int? {
        guard let delay = self.retryAfter ?? self.kind.retryAfter else { return nil }
        return self.shouldRetry == false ? max(1, delay) : min(max(1, delay), 60)
    }

    /// The status. A refusal by the source's user is 400 to clients of Responses: for one of them only that is final.
    package func status(in dialect: ChatDialect) -> Int {
        if self.kind == .samplingRefused, dialect == .responses { return 400 }
        if self.kind == .overloaded, dialect.family == .anthropic { return 529 }
        return self.kind.status
    }

    /// Headers that belong to it. Names are in lower case.
    package func headers(in dialect: ChatDialect) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        if let delay = self.retryDelay { headers.append(("retry-after", String(delay))) }
        if let should = self.shouldRetry { headers.append(("x-should-retry", should ? "true" : "false")) }
        if self.status(in: dialect) == 401 { headers.append(("www-authenticate", "Bearer")) }
        return headers
    }
}

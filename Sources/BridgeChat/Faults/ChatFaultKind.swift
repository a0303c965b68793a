/// One kind of thing that goes wrong with a model request: a row of the table.
///
/// The word is what programs may rely on, `error.code` to OpenAI's clients and `error.details.error_code` to Anthropic's.
/// Where OpenAI has a word that clients act on, it is that.
package struct ChatFaultKind: Sendable, Hashable {
    package enum Retry: Sendable, Hashable {
        case never
        /// SDKs repeat 408, 409, 429 and everything from 500 on by themselves.
        case byStatus
    }

    package let word: String
    /// See ``ChatFault/status(in:)`` for the exceptions.
    package let status: Int
    /// `error.type` to OpenAI's clients.
    package let openAIType: String
    /// `error.type` to Anthropic's clients.
    package let anthropicType: String
    package let retry: Retry
    /// In seconds, where no other time is known.
    package let retryAfter: Int?

    private init(
        _ word: String, _ status: Int, openAI: String, anthropic: String, retry: Retry = .byStatus, after: Int? = nil
    ) {
        self.word = word
        self.status = status
        self.openAIType = openAI
        self.anthropicType = anthropic
        self.retry = retry
        self.retryAfter = after
    }

    package static let all: [ChatFaultKind] = ChatFaultKind.requests + ChatFaultKind.door + ChatFaultKind.sources

    private static let requests: [ChatFaultKind] = [
        .invalidRequest, .unsupported, .toolsNotSupported, .threadUnsupported, .contextTooLong, .unprocessable,
        .tooLarge, .requestTimeout,
    ]
    private static let door: [ChatFaultKind] = [
        .invalidToken, .notAllowed, .modelNotAllowed, .notFound, .methodNotAllowed, .modelNotFound,
        .unsupportedMediaType,
        .rateLimited, .budgetSpent, .overloaded, .internal,
    ]
    private static let sources: [ChatFaultKind] = [
        .samplingRefused, .noSource, .sourceNotReady, .sourceTimeout, .badAnswer, .sourceLost, .schemaNotMet,
    ]
}

// What is wrong with the request.
extension ChatFaultKind {
    private static let badRequest = "invalid_request_error"

    package static let invalidRequest = ChatFaultKind("invalid_request", 400, openAI: badRequest, anthropic: badRequest)
    package static let unsupported = ChatFaultKind("unsupported_value", 400, openAI: badRequest, anthropic: badRequest)
    package static let toolsNotSupported = ChatFaultKind(
        "tools_not_supported", 400, openAI: badRequest, anthropic: badRequest)
    /// Anthropic's package then sends the whole conversation, as its tool runner does on this word alone.
    package static let threadUnsupported = ChatFaultKind(
        "thread_unsupported_request", 400, openAI: badRequest, anthropic: badRequest)
    /// Codex gives up on this code, and Claude Code shortens what it sends on the sentence "prompt is too long".
    package static let contextTooLong = ChatFaultKind(
        "context_length_exceeded", 400, openAI: badRequest, anthropic: badRequest)
    package static let unprocessable = ChatFaultKind("unprocessable", 422, openAI: badRequest, anthropic: badRequest)
    package static let tooLarge = ChatFaultKind(
        "request_too_large", 413, openAI: badRequest, anthropic: "request_too_large")
    package static let requestTimeout = ChatFaultKind(
        "request_timeout", 408, openAI: "timeout_error", anthropic: "timeout_error")
}

// What is wrong with who asks, or with what for.
extension ChatFaultKind {
    package static let invalidToken = ChatFaultKind(
        "invalid_api_key", 401, openAI: "authentication_error", anthropic: "authentication_error", retry: .never)
    package static let notAllowed = ChatFaultKind(
        "not_allowed", 403, openAI: "permission_error", anthropic: "permission_error")
    package static let modelNotAllowed = ChatFaultKind(
        "model_not_allowed", 403, openAI: "permission_error", anthropic: "permission_error")
    package static let notFound = ChatFaultKind("not_found", 404, openAI: badRequest, anthropic: "not_found_error")
    package static let methodNotAllowed = ChatFaultKind(
        "method_not_allowed", 405, openAI: badRequest, anthropic: badRequest)
    package static let unsupportedMediaType = ChatFaultKind(
        "unsupported_media_type", 415, openAI: badRequest, anthropic: badRequest)
    package static let modelNotFound = ChatFaultKind(
        "model_not_found", 404, openAI: badRequest, anthropic: "not_found_error")
    package static let rateLimited = ChatFaultKind(
        "rate_limit_exceeded", 429, openAI: "rate_limit_error", anthropic: "rate_limit_error", after: 1)
    package static let budgetSpent = ChatFaultKind(
        "insufficient_quota", 429, openAI: "insufficient_quota", anthropic: "rate_limit_error", retry: .never)
    /// Everything is busy here: 503, to Anthropic's clients 529.
    package static let overloaded = ChatFaultKind(
        "overloaded", 503, openAI: "server_error", anthropic: "overloaded_error", after: 2)
    package static let `internal` = ChatFaultKind("internal", 500, openAI: "server_error", anthropic: "api_error")
}

// What is wrong with the source.
extension ChatFaultKind {
    /// Never to be repeated: each time its user would be asked again.
    package static let samplingRefused = ChatFaultKind(
        "sampling_refused", 403, openAI: "permission_error", anthropic: "permission_error", retry: .never)
    /// Not `overloaded_error`: one client repeats that even where it is told not to.
    package static let noSource = ChatFaultKind(
        "no_source", 503, openAI: "server_error", anthropic: "api_error", after: 5)
    package static let sourceNotReady = ChatFaultKind(
        "source_not_ready", 503, openAI: "server_error", anthropic: "api_error", after: 2)
    /// SDKs would repeat it, and its user be asked three times for one call.
    package static let sourceTimeout = ChatFaultKind(
        "source_timeout", 504, openAI: "timeout_error", anthropic: "timeout_error", retry: .never)
    package static let badAnswer = ChatFaultKind("bad_answer", 502, openAI: "server_error", anthropic: "api_error")
    package static let sourceLost = ChatFaultKind("source_lost", 502, openAI: "server_error", anthropic: "api_error")
    package static let schemaNotMet = ChatFaultKind(
        "schema_not_met", 502, openAI: "server_error", anthropic: "api_error", retry: .never)
}

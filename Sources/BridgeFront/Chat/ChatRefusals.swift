import BridgeChat
import BridgeCore

extension ChatFault {
    /// What the door, a token, a limit or the transport has against a request, for a client of a model API.
    init(_ refusal: Refusal) {
        let after = refusal.field.flatMap { $0.name == "Retry-After" ? Int($0.value) : nil }
        self.init(Self.kind(of: refusal.told.fault), refusal.message, retryAfter: after)
    }

    private static let kinds: [Fault: ChatFaultKind] = [
        .tokenRequired: .invalidToken, .invalidToken: .invalidToken, .outcomeUnknown: .invalidToken,
        .hostNotAllowed: .notAllowed, .originNotAllowed: .notAllowed, .notGranted: .notAllowed,
        .adminRequired: .notAllowed, .notFound: .notFound, .methodNotAllowed: .methodNotAllowed,
        .unsupportedMediaType: .unsupportedMediaType, .payloadTooLarge: .tooLarge, .requestTimeout: .requestTimeout,
        .rateLimited: .rateLimited, .concurrencyLimited: .rateLimited, .budgetSpent: .budgetSpent,
        .tokensUnreadable: .overloaded, .limitsUnwritable: .overloaded, .overloaded: .overloaded,
        .tooManyConnections: .overloaded, .sessionUnavailable: .overloaded, .supervisorUnavailable: .overloaded,
        .draining: .overloaded, .internal: .internal,
    ]

    /// What is not in the table is something that is wrong with the request.
    private static func kind(of fault: Fault) -> ChatFaultKind { Self.kinds[fault] ?? .invalidRequest }
}

extension Refusal {
    static func chatTooLarge(limit: Int) -> Refusal {
        let message = ChatFault.tooLarge(limit: limit, setting: "limits.chatBody").message
        return Refusal(ToldFault(.payloadTooLarge, message: message), closes: true)
    }

    /// A path of a model API that there is not here: most likely the program has the wrong base address.
    ///
    /// - Parameter base: how the service is reached, without a slash at its end.
    static func chatPathUnknown(base: String) -> Refusal {
        Refusal(
            ToldFault(
                .notFound,
                message:
                    "There is nothing at this path. Set the base URL to \(base)/v1 for OpenAI's clients, and to \(base) for "
                    + "Anthropic's. There are /v1/chat/completions, /v1/responses, /v1/messages and /v1/models."))
    }

    /// So many requests of a token wait for those of the same token that are under way.
    static func tooManyWaiting(limit: Int) -> Refusal {
        Refusal(
            ToldFault(
                .concurrencyLimited,
                message:
                    "The token may have \(limit) requests under way at once, has, and \(ChatTurnstile.maximumWaiting) more "
                    + "wait for their turn, a fixed limit; this one did not run"), field: .soon)
    }
}

/// What is asked of a request's head on the paths of the model APIs, once the door has let it in.
enum ChatRules {
    /// - Parameter base: how the service is reached, without a slash at its end.
    static func check(
        _ target: ChatTarget, isAllowed: Bool, _ fields: RequestFields, limit: Int, base: @autoclosure () -> String
    ) -> Refusal? {
        if case .nothing = target { return .chatPathUnknown(base: base()) }
        guard isAllowed else { return .methodNotAllowed(target.methods) }
        guard target.isPosted else { return nil }
        // There are programs that say nothing of what they send.
        guard fields.contentType == nil || TransportRules.isJSON(fields.contentType) else {
            return .unsupportedMediaType
        }
        guard !fields.hasContentCoding else { return .contentCodingUnknown }
        if let length = fields.contentLength, length > limit { return .chatTooLarge(limit: limit) }
        return nil
    }
}

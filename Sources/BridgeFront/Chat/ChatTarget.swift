import BridgeChat
import BridgeCore

/// What a path asks of the model APIs.
///
/// Programs are set up with addresses that have `/v1` at their end, that lack it, or have it twice, and some with two slashes:
/// all of these are served. What is none of our paths, and clearly meant to be one, is told so in the dialect of whoever asks.
/// Nobody is ever redirected: clients take that for a failure, or ask again without their body.
enum ChatTarget: Sendable, Equatable {
    /// `/v1/chat/completions`, `/v1/responses`, `/v1/messages`.
    case ask(ChatDialect)
    /// `/v1/messages/count_tokens`.
    case count
    /// `/v1/models`.
    case models
    /// `/v1/models/{id}`; the id may have slashes in it.
    case model(String)
    /// A path of some model API that there is not here.
    case nothing(ChatDialect)

    /// As nearly all clients write them.
    static let known: [String: ChatTarget] = [
        "/v1/chat/completions": .ask(.completions), "/v1/responses": .ask(.responses),
        "/v1/messages": .ask(.messages), "/v1/messages?beta=true": .ask(.messages), "/v1/models": .models,
    ]

    /// - Parameter path: without a query.
    init?(_ path: Substring) {
        var parts = path.split(separator: "/")
        var versions = 0
        while parts.first == "v1", versions < 2 {
            parts.removeFirst()
            versions += 1
        }
        switch parts {
        case ["chat", "completions"]: self = .ask(.completions)
        case ["responses"]: self = .ask(.responses)
        // With its slash it is where clients of HTTP+SSE post.
        case ["messages"] where versions > 0 || path.last != "/": self = .ask(.messages)
        case ["messages", "count_tokens"]: self = .count
        case ["models"]: self = .models
        case let parts where parts.first == "models":
            guard let id = PercentCoding.decode(parts.dropFirst().joined(separator: "/")) else { return nil }
            self = .model(id)
        default:
            guard versions > 0 || Self.isMeant(parts) else { return nil }
            self = .nothing(Self.guess(parts))
        }
    }

    /// Whether a path without `/v1` is meant for a model API all the same.
    private static func isMeant(_ parts: [Substring]) -> Bool {
        switch parts {
        case ["completions"], ["fim", "completions"], ["embeddings"]: true
        default: parts.suffix(2) == ["chat", "completions"]
        }
    }

    /// By the end of a path, or where that says nothing by its beginning: `/v1/messages/batches`.
    private static func guess(_ parts: [Substring]) -> ChatDialect {
        for part in [parts.last, parts.first] {
            switch part {
            case "messages", "count_tokens", "complete": return .messages
            case "responses": return .responses
            case "completions": return .completions
            default: continue
            }
        }
        return .completions
    }
}

extension ChatTarget {
    /// The methods that it takes.
    var methods: String {
        switch self {
        case .ask, .count: "POST"
        case .models, .model, .nothing: "GET, HEAD"
        }
    }

    var isPosted: Bool { self.methods == "POST" }

    /// What metrics count it as.
    var route: Route {
        switch self {
        case .ask(.completions): .completions
        case .ask(.responses): .responses
        case .ask(.messages), .count: .anthropic
        case .models, .model: .models
        case .nothing: .other
        }
    }

    /// What the audit and logs call it.
    var name: String {
        switch self {
        case .ask(.completions): "/v1/chat/completions"
        case .ask(.responses): "/v1/responses"
        case .ask(.messages): "/v1/messages"
        case .count: "/v1/messages/count_tokens"
        case .models: "/v1/models"
        case .model: "/v1/models/{id}"
        case .nothing: "unknown"
        }
    }

    /// In which dialect it is answered. The list of models alone serves both: there, a header that only one of them has says
    /// whose errors are expected.
    func dialect(_ fields: RequestFields) -> ChatDialect {
        switch self {
        case .ask(let dialect), .nothing(let dialect): dialect
        case .count: .messages
        case .models, .model: fields.namesAnthropicVersion ? .messages : .completions
        }
    }
}

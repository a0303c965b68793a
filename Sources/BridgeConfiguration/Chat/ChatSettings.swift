/// Everything under `bridge.chat`: who answers requests for models, and how they are asked.
package struct ChatSettings: Sendable, Hashable, Codable {
    /// The clients that lend their models. Nobody else is ever asked.
    package var sources: [ChatSourceRule] = []
    /// What names of models mean, in their order. Without any, each name goes to any source, as a hint.
    package var models: [ChatModelRule] = []
    /// Whether a source is asked for one word, before it counts as ready.
    package var warmsUp = true
    /// For a source's answer, from when the request came; nil is no limit.
    package var timeout: Seconds? = Self.standardTimeout
    /// The most tokens that an answer may have; a request may ask for less.
    package var maximumTokens = Self.standardMaximumTokens
    package var priorities = ChatPriorities()
    /// How many requests one source answers at once, where its rule says nothing else.
    package var parallel = 8
    /// How many requests may wait for a source.
    package var queue = 1_024
    package var streams = ChatStreamSettings()

    package static let standardTimeout: Seconds = 300
    package static let standardMaximumTokens = 327_680

    package init() {}
}

/// How streams are written for clients that want them otherwise than the model APIs have them.
package struct ChatStreamSettings: Sendable, Hashable, Codable {
    /// Chat completions: `usage` on the chunk with the finish reason, and not in one of its own without choices.
    package var usageOnFinish = false
    /// Messages: `data: [DONE]` after `message_stop`.
    package var doneAfterMessages = false

    package init() {}
}

/// How important what is in the choice of a model, from 0 to 1 each.
package struct ChatPriorities: Sendable, Hashable, Codable {
    package var intelligence = 0.5
    package var speed = 0.5
    package var cost = 0.5

    package init() {}
}

/// One client, or a few that look alike, that may answer requests for models. All that the rule says must be true of it.
package struct ChatSourceRule: Sendable, Hashable, Codable {
    /// How it is called in `chat.models` and in the status.
    package var name: String
    /// `clientInfo.name`, compared whole and case-insensitively. It is what the client says of itself.
    package var client: String?
    /// The id of the token that it comes with.
    package var token: String?
    /// The user id of its process, where it comes through the local socket.
    package var peer: Int?
    /// How many requests it answers at once.
    package var parallel: Int?

    package init(
        name: String, client: String? = nil, token: String? = nil, peer: Int? = nil, parallel: Int? = nil
    ) {
        self.name = name
        self.client = client
        self.token = token
        self.peer = peer
        self.parallel = parallel
    }

    /// Of the clients that a command brings as sources, whatever is configured: `token-bridge`, and `token-bridge --join`.
    package static let joined = ChatSourceRule(name: "joined")

    /// Whether it is about this client.
    ///
    /// - Parameters:
    ///   - client: `clientInfo.name`.
    ///   - principal: `token:ID`, `uid:1000` or `local`.
    package func matches(client: String?, principal: String) -> Bool {
        if let wanted = self.client, wanted.lowercased() != client?.lowercased() { return false }
        if let token, principal != "token:\(token)" { return false }
        if let peer, principal != "uid:\(peer)" { return false }
        return self.client != nil || self.token != nil || self.peer != nil
    }
}

/// What a name of a model means.
package struct ChatModelRule: Sendable, Hashable, Codable {
    /// A name, or a pattern with `*` and `?`.
    package var name: String
    /// Who may be asked (``ChatSourceRule/name``); empty is every source.
    package var sources: [String] = []
    /// What it is called at the source; nil leaves the name that the client gave.
    package var model: String?
    /// Where it says something else than ``ChatSettings/priorities``.
    package var priorities: ChatPriorities?
    /// Where it is less than ``ChatSettings/maximumTokens``.
    package var maximumTokens: Int?

    package init(name: String) { self.name = name }

    /// Whether it is one name, and no pattern.
    package var isExact: Bool { !self.name.contains { $0 == "*" || $0 == "?" } }
}

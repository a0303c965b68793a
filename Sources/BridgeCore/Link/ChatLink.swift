import NIOCore

/// What the front asks of the session worker for clients of the model APIs: the header that opens an exchange.
///
/// Who makes what of what:
///
/// - The front reads the client's dialect and refuses what nobody here can do. What goes over the link is in no dialect: the
///   `params` of a `sampling/createMessage` for a source that takes everything (`SamplingParams.init(neutral:)` in
///   BridgeChat), without `modelPreferences` and `maxTokens`. The front answers sandboxed tokens and counts tokens itself,
///   and looks whether a token may use a model.
/// - The session worker chooses the source, and fits the params to what it takes: it puts preferences and limit in front, and
///   rewrites the rest only where the source cannot take it (``ChatNeeds``).
/// - The source's `CreateMessageResult` comes back as it was given. The front reads it, fits it to the request (stop
///   sequences, ids, estimated usage), checks it by the schema that was asked for, and writes it in the dialect. A second
///   round, for an answer that does not fit, is an exchange of its own.
/// - What goes wrong behind the front comes back in words that no dialect has (``ChatEnd/failed(_:)``); BridgeChat makes a
///   `ChatFault` of it and back (`ChatFault.init(_:)`, `ChatFault.failure`).
///
/// To cancel the exchange cancels the request: one that waits is dropped, a source that has been asked is told. When the
/// client is gone, the front cancels; there is nothing else to be done.
///
/// When the link is lost: ``ChatNote/asked(source:)`` leaves before the source's question, on the same connection. So a front
/// that has not seen it knows that nobody was asked, and may open the exchange anew, once. Otherwise the request is lost
/// (`source_lost`, and a source was asked).
package enum ChatOpening: LinkHeader, Equatable {
    /// A request for a model. The payload is the neutral params.
    case ask(ChatAsk)
    /// Which models there are. Answered at once, with ``ChatModels`` and a list of their names as the payload. Whether a token
    /// may use each of them is the front's to look at.
    case models

    package func write(to header: inout HeaderWriter) {
        switch self {
        case .ask(let ask):
            header.member("op", "chat")
            ask.write(to: &header)
        case .models: header.member("op", "models")
        }
    }

    package init?(reading header: inout HeaderReader) {
        switch header.string("op") {
        case "chat": self = .ask(ChatAsk(reading: &header))
        case "models": self = .models
        default: return nil
        }
    }
}

/// What has to be known of a request for a model beside the params.
package struct ChatAsk: Sendable, Equatable {
    /// Names the request in every process's log.
    package var requestID: String
    /// On whose behalf: `token:ID`, `local`, `uid:1000`. Between these the queue is fair, and a refusal by a source's user is
    /// remembered for each.
    package var principal: String
    /// As the client wrote it; empty where it left the choice open (`ChatRequest.leavesModelOpen`). What it is called at its
    /// source, and who that is, `chat.models` says.
    package var model: String
    /// What the client limits the answer to, in tokens; the session worker has a limit of its own (`chat.maxTokens`).
    package var maximumTokens: Int?
    /// What a source must be able to take for the params to go out as they are.
    package var needs: ChatNeeds
    /// How long the front will wait, in milliseconds: what is left of `chat.timeout`, from when the request had come to the
    /// front. From when it comes to the session worker, that applies `chat.timeout` itself.
    package var timeout: Int?

    package init(
        requestID: String, principal: String, model: String, maximumTokens: Int? = nil, needs: ChatNeeds = [],
        timeout: Int? = nil
    ) {
        self.requestID = requestID
        self.principal = principal
        self.model = model
        self.maximumTokens = maximumTokens
        self.needs = needs
        self.timeout = timeout
    }

    func write(to header: inout HeaderWriter) {
        header.member("rid", self.requestID)
        header.member("who", self.principal)
        header.member("model", self.model)
        header.member("max", self.maximumTokens)
        header.member("needs", self.needs.isEmpty ? nil : self.needs.rawValue)
        header.member("tmo", self.timeout)
    }

    init(reading header: inout HeaderReader) {
        self.requestID = header.string("rid") ?? ""
        self.principal = header.string("who") ?? ""
        self.model = header.string("model") ?? ""
        self.maximumTokens = header.int("max")
        self.needs = ChatNeeds(rawValue: header.int("needs") ?? 0)
        self.timeout = header.int("tmo")
    }
}

/// What neutral params hold that not every source takes.
package struct ChatNeeds: OptionSet, Sendable, Hashable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// The model may call tools now. A source without tools is not asked.
    package static let tools = ChatNeeds(rawValue: 1)
    /// Tools that may not be called now, or calls of the past. They can be told in words.
    package static let pastTools = ChatNeeds(rawValue: 2)
    /// Messages of more than one block. They can be told in several.
    package static let lists = ChatNeeds(rawValue: 4)
    /// Sound. A source without is not asked.
    package static let audio = ChatNeeds(rawValue: 8)
    /// Images in the results of tools. They can follow the results.
    package static let imagesInResults = ChatNeeds(rawValue: 16)
}

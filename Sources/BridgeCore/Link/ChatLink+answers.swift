/// What the session worker says with a message of such an exchange, without a payload.
package enum ChatNote: LinkHeader, Equatable {
    /// A source is asked, with the next frame of this connection. From now on the request is not to be repeated.
    case asked(source: String)
    /// The source says that it goes on.
    case alive

    package func write(to header: inout HeaderWriter) {
        switch self {
        case .asked(let source):
            header.member("t", "asked")
            header.member("src", source)
        case .alive: header.member("t", "alive")
        }
    }

    package init?(reading header: inout HeaderReader) {
        switch header.string("t") {
        case "asked": self = .asked(source: header.string("src") ?? "")
        case "alive": self = .alive
        default: return nil
        }
    }
}

/// How the session worker ends such an exchange.
package enum ChatEnd: LinkHeader, Equatable {
    /// The payload is the source's `CreateMessageResult`, as it was given. Nobody has looked into it.
    case answered(ChatSourceRemarks)
    case failed(ChatFailure)

    package func write(to header: inout HeaderWriter) {
        switch self {
        case .answered(let remarks):
            header.member("t", "answer")
            remarks.write(to: &header)
        case .failed(let failure):
            header.member("t", "fault")
            failure.write(to: &header)
        }
    }

    package init?(reading header: inout HeaderReader) {
        switch header.string("t") {
        case "answer": self = .answered(ChatSourceRemarks(reading: &header))
        case "fault": self = .failed(ChatFailure(reading: &header))
        default: return nil
        }
    }
}

/// Who answered, and what was made of the request for that source beyond what the front knows: more `ChatRemarks`.
package struct ChatSourceRemarks: Sendable, Equatable {
    package var source: String
    package var ignored: [String]
    package var approximated: [String]

    package init(source: String, ignored: [String] = [], approximated: [String] = []) {
        self.source = source
        self.ignored = ignored
        self.approximated = approximated
    }

    func write(to header: inout HeaderWriter) {
        header.member("src", self.source)
        header.member("ign", Self.list(self.ignored))
        header.member("apx", Self.list(self.approximated))
    }

    init(reading header: inout HeaderReader) {
        self.source = header.string("src") ?? ""
        self.ignored = Self.names(header.json("ign"))
        self.approximated = Self.names(header.json("apx"))
    }

    private static func list(_ names: [String]) -> JSONText? {
        names.isEmpty ? nil : JSONWriter.array { list in for name in names { list.element(name) } }
    }

    private static func names(_ list: JSONText?) -> [String] {
        var names: [String] = []
        if let list, list.kind == .array { list.elements { if let name = list[$0].string { names.append(name) } } }
        return names
    }
}

/// Why a request is not answered, in no dialect. BridgeChat's `ChatFaultKind` knows the words.
package struct ChatFailure: Sendable, Equatable {
    /// `ChatFaultKind.word`.
    package var word: String
    /// A sentence for people.
    package var message: String
    package var param: String?
    /// In seconds.
    package var retryAfter: Int?
    /// What stands beside the error, for programs that look for it there.
    package var detail: String?
    /// Whether a source has been asked.
    package var sourceWasAsked: Bool
    /// Who that was.
    package var source: String?

    package init(
        _ word: String, _ message: String, param: String? = nil, retryAfter: Int? = nil, detail: String? = nil,
        sourceWasAsked: Bool = false, source: String? = nil
    ) {
        self.word = word
        self.message = message
        self.param = param
        self.retryAfter = retryAfter
        self.detail = detail
        self.sourceWasAsked = sourceWasAsked
        self.source = source
    }

    func write(to header: inout HeaderWriter) {
        header.member("err", self.word)
        header.member("msg", self.message)
        header.member("param", self.param)
        header.member("after", self.retryAfter)
        header.member("detail", self.detail)
        header.flag("asked", self.sourceWasAsked)
        header.member("src", self.source)
    }

    init(reading header: inout HeaderReader) {
        self.word = header.string("err") ?? ""
        self.message = header.string("msg") ?? ""
        self.param = header.string("param")
        self.retryAfter = header.int("after")
        self.detail = header.string("detail")
        self.sourceWasAsked = header.flag("asked")
        self.source = header.string("src")
    }
}

/// The answer to ``ChatOpening/models``: the end's header.
package struct ChatModels: LinkHeader, Equatable {
    /// Whether a source is there that would be asked now.
    package var isReady: Bool

    package init(isReady: Bool) { self.isReady = isReady }

    package func write(to header: inout HeaderWriter) { header.flag("ready", self.isReady) }
    package init?(reading header: inout HeaderReader) { self.isReady = header.flag("ready") }
}

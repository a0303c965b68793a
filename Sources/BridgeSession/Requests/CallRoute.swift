import BridgeConfiguration
import BridgeCore
import NIOCore

/// Where a call goes, and how it is spelled there.
struct CallRoute {
    let upstream: UpstreamLink
    /// Who is asked next, where the one before has no such resource.
    let others: [UpstreamLink]
    /// What the client calls it, for the log.
    let calledName: String
    /// What its server calls it, where that is something else.
    let ownName: JSONText?
    let uri: String?
    /// Whether its result has content by MCP's rules, which an older client may not know. Extensions have their own.
    let hasContent: Bool
    let timeout: Seconds
    /// Whether it may be sent a second time.
    let mayRepeat: Bool
    /// Told of the one that is asked next, before it is.
    let onNext: ((UpstreamLink) -> Void)?
    /// Told of the response before its client is; of nil where there is none, as the client does not want it any more.
    var onEnd: ((ByteBuffer?) -> Void)?
    /// Whether it is made for all sessions together, whoever shares the upstream's child.
    let isEverybodys: Bool
    /// Of a call about a task: what is done with the server's answers.
    var course: (any CallCourse)?

    init(
        to upstream: UpstreamLink, others: [UpstreamLink] = [], called calledName: String,
        named ownName: JSONText? = nil,
        uri: String? = nil, hasContent: Bool = false, timeout: Seconds, mayRepeat: Bool,
        onNext: ((UpstreamLink) -> Void)? = nil, onEnd: ((ByteBuffer?) -> Void)? = nil,
        isEverybodys: Bool = false
    ) {
        self.upstream = upstream
        self.others = others
        self.calledName = calledName
        self.ownName = ownName
        self.uri = uri
        self.hasContent = hasContent
        self.timeout = timeout
        self.mayRepeat = mayRepeat
        self.onNext = onNext
        self.onEnd = onEnd
        self.isEverybodys = isEverybodys
    }
}

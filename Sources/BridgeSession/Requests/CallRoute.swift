import BridgeConfiguration
import BridgeCore
import NIOCore

/// Where a call goes, and how it is spelled there.
struct CallRoute {
    let upstream: UpstreamLink
    /// What the client calls it, for the log.
    let calledName: String
    /// What its server calls it, where that is something else.
    let ownName: JSONText?
    /// Whether its result has content by MCP's rules, which an older client may not know. Extensions have their own.
    let hasContent: Bool
    let timeout: Seconds
    /// Whether it may be sent a second time.
    let mayRepeat: Bool
    /// What a plain call of a tool does without.
    private(set) var extras: CallExtras?

    init(
        to upstream: UpstreamLink, called calledName: String, named ownName: JSONText? = nil, hasContent: Bool = false,
        timeout: Seconds, mayRepeat: Bool, with extras: CallExtras? = nil
    ) {
        self.upstream = upstream
        self.calledName = calledName
        self.ownName = ownName
        self.hasContent = hasContent
        self.timeout = timeout
        self.mayRepeat = mayRepeat
        self.extras = extras
    }

    /// The same, for a call about a task.
    ///
    /// - Parameter onEnd: as of ``CallExtras``.
    func taking(_ course: any CallCourse, onEnd: ((ByteBuffer?) -> Void)? = nil) -> CallRoute {
        var route = self
        route.extras = CallExtras(course: course, onEnd: onEnd)
        return route
    }
}

/// What only some calls have. An object of its own, made for one call: the others are not the slower for it.
final class CallExtras {
    /// Who is asked next, where the one before has no such resource.
    var others: ArraySlice<UpstreamLink>
    let uri: String?
    /// What a server has answered that has the resource, and nothing in it.
    var emptyAnswer: ByteBuffer?
    /// Of a call about a task: what is done with the server's answers.
    let course: (any CallCourse)?
    /// Told of the one that is asked next, before it is.
    let onNext: ((UpstreamLink) -> Void)?
    /// Told of the response before its client is; of nil where there is none, as the client does not want it any more.
    let onEnd: ((ByteBuffer?) -> Void)?
    /// Whether it is made for all sessions together, whoever shares the upstream's child.
    let isEverybodys: Bool

    init(
        others: ArraySlice<UpstreamLink> = [], uri: String? = nil, course: (any CallCourse)? = nil,
        onNext: ((UpstreamLink) -> Void)? = nil, onEnd: ((ByteBuffer?) -> Void)? = nil, isEverybodys: Bool = false
    ) {
        self.others = others
        self.uri = uri
        self.course = course
        self.onNext = onNext
        self.onEnd = onEnd
        self.isEverybodys = isEverybodys
    }
}

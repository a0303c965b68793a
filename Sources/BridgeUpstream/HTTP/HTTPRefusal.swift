import BridgeCore
import NIOCore
import NIOHTTP1

/// What an answer with a status of 300 and more means for the message that it answers. Pure.
enum HTTPRefusal: Equatable {
    /// The body says it, whatever the status: a JSON-RPC response to this very request.
    case answer(JSONText)
    /// The server does not know the session. The message was not looked at.
    case sessionUnknown
    /// The session may be meant, or what was agreed upon, or this very message alone: something else will tell.
    case unclear(isRevision: Bool)
    /// The server does not like the revision that it has agreed to itself. The message was not looked at.
    case revisionRefused
    /// Nobody may ask who has not signed in.
    case signInNeeded
    /// It was refused before anything was done.
    case notRun(retryAfter: Int?)
    /// Anything may have been done.
    case mayHaveRun

    /// - Parameters:
    ///   - isGreeting: whether it was `initialize`, which is sent outside any session.
    ///   - isOwn: whether it is the bridge that asks: to be asked later is no answer then, whatever else is said.
    ///   - isAlone: whether the server has shown that it takes other messages of the session.
    ///   - isHarmless: whether it does no harm where it runs twice.
    ///   - retryAfter: in seconds, where the answer says it.
    init(
        status: HTTPResponseStatus, headers: HTTPHeaders, body bytes: ByteBuffer?, request: Int?, isGreeting: Bool,
        isOwn: Bool = false, hasSession: Bool, isAlone: Bool = false, isHarmless: Bool, retryAfter: Int?
    ) {
        let body = bytes.flatMap { try? JSONText(validating: $0) }
        let error = body.flatMap { Self.error(in: $0, to: request) }
        let isOurs = error != nil && body.map { Self.isAbout(request, $0) } ?? false
        let says = error?.string("message")?.lowercased() ?? ""
        switch status.code {
        case 401: self = .signInNeeded
        case 403 where Self.wantsSignIn(headers): self = .signInNeeded
        case 404 where hasSession && !isGreeting && !isAlone:
            let code = error?.int("code")
            let isAnswer = isOurs && (code == Fault.methodNotFound.code || code == Fault.invalidParams.code)
            self = isAnswer ? Self.answer(body) : .sessionUnknown
        case 400 where !isGreeting && !isAlone && Self.speaksOfRevisions(bytes, error: error):
            self = request == nil ? .revisionRefused : .unclear(isRevision: true)
        // Nobody else has asked for anything: that it comes too soon is no answer.
        case 429 where isOwn && retryAfter != nil, 503 where isOwn && retryAfter != nil:
            self = .notRun(retryAfter: retryAfter)
        // What a notification is answered with means nothing.
        case 400 where hasSession && !isGreeting && !isAlone && request != nil && (!isOurs || says.contains("session")):
            self = .unclear(isRevision: false)
        case _ where error != nil && request != nil: self = Self.answer(body)
        // Nothing is there that could have acted.
        case 404 where hasSession && isAlone: self = .notRun(retryAfter: nil)
        case 405, 413, 421, 425, 429, 431: self = .notRun(retryAfter: retryAfter)
        // Proxies say the same of what the server has not answered in their time.
        case 503 where retryAfter != nil && isHarmless: self = .notRun(retryAfter: retryAfter)
        default: self = .mayHaveRun
        }
    }

    /// Whether the message may have been acted upon, as far as the head tells while the body has not come.
    static func leavesOpen(_ head: HTTPResponseHead, isGreeting: Bool, hasSession: Bool, isHarmless: Bool) -> Bool {
        let refusal = HTTPRefusal(
            status: head.status, headers: head.headers, body: nil, request: nil, isGreeting: isGreeting,
            hasSession: hasSession, isHarmless: isHarmless, retryAfter: RetryAfter.seconds(head.headers, now: 0))
        return refusal == .mayHaveRun
    }

    private static func answer(_ body: JSONText?) -> HTTPRefusal { body.map { .answer($0) } ?? .mayHaveRun }

    /// An error of JSON-RPC: other interfaces have bodies with an `error`, too, and theirs says nothing of what was done.
    private static func error(in body: JSONText, to request: Int?) -> JSONText? {
        guard body.kind == .object, let error = body.value("error"), error.kind == .object,
            error.member("message") != nil || error.member("code") != nil,
            body.member("jsonrpc") != nil || Self.isAbout(request, body)
        else { return nil }
        return error
    }

    private static func isAbout(_ request: Int?, _ body: JSONText) -> Bool {
        guard let request, let id = body.value("id") else { return false }
        return id.ownNumber == request
    }

    /// Whether a refusal is about the revision: some say it as JSON-RPC, and some in plain words.
    static func speaksOfRevisions(_ body: ByteBuffer?, error: JSONText?) -> Bool {
        let says = error?.string("message") ?? body.map { Self.beginning(of: $0) } ?? ""
        let words = says.lowercased()
        return words.contains("protocol version") || words.contains("protocol-version")
            || words.contains("protocolversion")
    }

    private static func beginning(of body: ByteBuffer) -> String {
        String(decoding: body.readableBytesView.prefix(1 << 10), as: UTF8.self)
    }

    /// Whether somebody who signs in, or in another way, may.
    static func wantsSignIn(_ headers: HTTPHeaders) -> Bool { headers.contains(name: "WWW-Authenticate") }
}

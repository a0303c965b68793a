import BridgeCore
import Glibc
import NIOHTTP1

/// The verdict on the last head of a connection, for the next one that is the same: keep-alive clients send the same head
/// with every call.
///
/// It says who asks, and nothing of what is asked: that is looked at for each request, here and in the session worker. It is
/// over with the connection, with another head, with the configuration and the tokens that it was made by, and with the
/// token that was shown.
///
/// Heads are compared whole, byte by byte and in their order, but for fields that say something about one request only and
/// that the verdict does not depend on.
///
/// An object, as the verdict is: it is looked at with every request, and copied with none.
final class HeadBinding {
    let verdict: HeadVerdict
    /// How the session worker is told of what is the same for all these requests. There is none before a second request: a
    /// connection that asks once has no use for it; and none without a session.
    private(set) var caller: CallerBinding?
    private let target: String
    private let version: HTTPVersion
    private let headers: HTTPHeaders
    /// Of the configuration and the tokens that the verdict was made by.
    private let epoch: Int

    init(_ head: HTTPRequestHead, _ verdict: HeadVerdict, epoch: Int) {
        self.target = head.uri
        self.version = head.version
        self.headers = head.headers
        self.verdict = verdict
        self.epoch = epoch
    }

    /// A POST that has the same head.
    struct Match: Equatable {
        /// It may be another.
        var contentLength: Int?
    }

    func match(_ head: HTTPRequestHead, epoch: Int, bodyLimit: Int) -> Match? {
        guard epoch == self.epoch, head.method == .POST, head.version == self.version,
            head.uri.hasBytes(of: self.target)
        else { return nil }
        guard head.headers.count == self.headers.count else { return nil }
        var match = Match(contentLength: self.verdict.fields.contentLength)
        for (known, new) in zip(self.headers, head.headers) {
            guard known.name.hasBytes(of: new.name) else { return nil }
            if known.value.hasBytes(of: new.value) { continue }
            if new.name.isField("content-length") {
                guard let length = Int(new.value), length <= bodyLimit else { return nil }
                match.contentLength = length
            } else {
                guard Self.isOfOneRequest(new.name) else { return nil }
            }
        }
        return match
    }

    /// Whether the token that was shown is good at this second. Which tokens there are is a matter of the epoch.
    func isGood(at second: @autoclosure () -> Int = WallClock.seconds()) -> Bool {
        guard let token = self.verdict.token, token.until != nil else { return true }
        return token.isGood(at: second())
    }

    /// A further request of the same head is served.
    func isUsed(_ numbers: BindingNumbers) {
        if self.caller == nil, self.verdict.fields.sessionID != nil { self.caller = CallerBinding(numbers) }
    }

    /// Whether a field is about one request, and none that the front acts on for a POST.
    static func isOfOneRequest(_ name: String) -> Bool {
        switch name.utf8.count {
        case 7 where name.isField("baggage"): true
        case 8 where name.isField("mcp-name"): true
        case 10 where name.isField("mcp-method") || name.isField("tracestate"): true
        case 11 where name.isField("traceparent"): true
        case 12 where name.isField("x-request-id"): true
        case 13 where name.isField("last-event-id"): true
        default: name.begins(with: "mcp-param-")
        }
    }
}

extension String {
    /// Whether two texts have the same bytes. (`==` finds texts equal that only look the same.)
    func hasBytes(of other: String) -> Bool {
        guard self.utf8.count == other.utf8.count else { return false }
        let isSame = self.utf8.withContiguousStorageIfAvailable { mine in
            other.utf8.withContiguousStorageIfAvailable { theirs in
                guard let left = mine.baseAddress, let right = theirs.baseAddress else { return true }
                return memcmp(left, right, mine.count) == 0
            }
        }
        return (isSame ?? nil) ?? self.utf8.elementsEqual(other.utf8)
    }
}

/// One resource of one server, to hear of its changes.
package struct ResourceTopic: Hashable, Sendable {
    /// The server's name in the configuration.
    package let server: String
    package let uri: String

    package init(server: String, uri: String) {
        self.server = server
        self.uri = uri
    }
}

/// Who wants to hear of which resource's changes, so that each server is subscribed to once, whoever asks how often.
///
/// Pure: it says what is to be sent, and who is to be answered.
package struct SubscriptionBook<Request> {
    package typealias Topic = ResourceTopic

    /// What becomes of a request.
    package enum Verdict: Equatable, Sendable {
        /// It goes to the server, whose answer is its answer: ``answered(_:isGood:)``, for a subscription.
        case forward
        /// Another one for the same resource is under way; the same answer will do.
        case wait
        /// It is as asked for already.
        case done
        /// The session holds too much.
        case full
    }

    /// What a session may hold, in bytes of URIs, each with ``overhead``: it has a place in the journal.
    package static var maximumOctets: Int { 4_096 }
    package static var overhead: Int { 16 }

    private struct Entry {
        var holders: Set<UInt64> = []
        /// Who waits for the server's answer. Nil when none is awaited.
        var waiting: [(session: UInt64, request: Request)]?
    }

    private var entries: [Topic: Entry] = [:]
    private var bySession: [UInt64: Set<Topic>] = [:]
    /// What is being asked of servers.
    private var asked: Set<Topic> = []
    /// What sessions will hold when that is answered, in bytes.
    private var asking: [UInt64: Int] = [:]

    package init() {}

    /// A session asks to be told.
    ///
    /// - Parameter request: kept where it waits, or goes to the server.
    package mutating func subscribe(_ topic: Topic, by session: UInt64, _ request: Request) -> Verdict {
        var entry = self.entries[topic] ?? Entry()
        if entry.holders.contains(session) { return .done }
        let held = self.octets(heldBy: session) + (self.asking[session] ?? 0)
        guard held + Self.octets(topic) <= Self.maximumOctets else { return .full }
        if entry.waiting != nil {
            entry.waiting?.append((session, request))
            self.entries[topic] = entry
            self.asking[session, default: 0] += Self.octets(topic)
            return .wait
        }
        if !entry.holders.isEmpty {
            self.hold(topic, by: session)
            return .done
        }
        entry.waiting = [(session, request)]
        self.entries[topic] = entry
        self.asked.insert(topic)
        self.asking[session, default: 0] += Self.octets(topic)
        return .forward
    }

    /// The server has answered the subscription that was forwarded.
    ///
    /// - Parameter other: what is held in its place, where another server has the resource.
    /// - Returns: whoever waited for that, each to be answered alike, the one that was forwarded first; and whether the
    ///   server is to be unsubscribed from, as nobody wants it any more.
    package mutating func answered(
        _ topic: Topic, by other: Topic? = nil, isGood: Bool
    ) -> (waiting: [(session: UInt64, request: Request)], isUnwanted: Bool) {
        guard let waiting = self.entries[topic]?.waiting else { return ([], false) }
        self.entries[topic]?.waiting = nil
        self.asked.remove(topic)
        for (session, _) in waiting { self.isAskingLess(session, topic) }
        let held = other ?? topic
        if isGood { for (session, _) in waiting { self.hold(held, by: session) } }
        let isUnwanted = isGood && self.holders(of: held).isEmpty
        self.forgetIfUnused(topic)
        return (waiting, isUnwanted)
    }

    /// A session does not want to be told any more. What waits for an answer is not taken back by this.
    package mutating func unsubscribe(_ topic: Topic, by session: UInt64) -> Verdict {
        guard self.entries[topic]?.holders.contains(session) == true else { return .done }
        return self.release(topic, by: session) ? .forward : .done
    }

    /// Whether one of the requests that wait for an answer, or have been forwarded, is meant.
    package func holdsRequest(where isMeant: (Request) -> Bool) -> Bool {
        self.asked.contains { self.entries[$0]?.waiting?.contains { isMeant($0.request) } == true }
    }

    /// Takes out requests that wait for an answer, or have been forwarded.
    package mutating func takeOut(
        _ isMeant: (_ session: UInt64, _ request: Request) -> Bool
    ) -> [Request] {
        var out: [Request] = []
        for topic in self.asked {
            guard let waiting = self.entries[topic]?.waiting else { continue }
            for (session, request) in waiting where isMeant(session, request) {
                out.append(request)
                self.isAskingLess(session, topic)
            }
            self.entries[topic]?.waiting = waiting.filter { !isMeant($0.session, $0.request) }
        }
        return out
    }

    /// A session is over.
    ///
    /// - Returns: what nobody holds any more, to be unsubscribed from; and its requests that are to be answered by nobody
    ///   else.
    package mutating func ended(_ session: UInt64) -> (unwanted: [Topic], requests: [Request]) {
        let requests = self.takeOut { asker, _ in asker == session }
        let unwanted = (self.bySession[session] ?? []).filter { self.release($0, by: session) }
        return (unwanted.sorted(by: Self.inOrder), requests)
    }

    /// A server is gone: nobody holds anything of it any more.
    package mutating func gone(_ server: String) {
        for (topic, entry) in self.entries where topic.server == server {
            for session in entry.holders { _ = self.release(topic, by: session) }
        }
    }

    /// The servers of which anything is held.
    package var servers: Set<String> { Set(self.entries.lazy.filter { !$0.value.holders.isEmpty }.map(\.key.server)) }

    /// Who holds a resource, or one that it is a part of, and which of these: one of each session.
    package func holdings(of topic: Topic) -> [UInt64: Topic] {
        var holdings: [UInt64: Topic] = [:]
        for session in self.holders(of: topic) { holdings[session] = topic }
        for (whole, entry) in self.entries where whole.server == topic.server && Self.isPart(topic.uri, of: whole.uri) {
            for session in entry.holders where holdings[session] == nil { holdings[session] = whole }
        }
        return holdings
    }

    private static func isPart(_ uri: String, of whole: String) -> Bool {
        guard uri.utf8.count > whole.utf8.count, uri.utf8.starts(with: whole.utf8) else { return false }
        let isFolder = whole.utf8.last.map { "/?#".utf8.contains($0) } ?? false
        return isFolder
            || "/?#".utf8.contains(uri.utf8[uri.utf8.index(uri.utf8.startIndex, offsetBy: whole.utf8.count)])
    }

    private mutating func isAskingLess(_ session: UInt64, _ topic: Topic) {
        let left = (self.asking[session] ?? 0) - Self.octets(topic)
        self.asking[session] = left > 0 ? left : nil
    }

    private static func octets(_ topic: Topic) -> Int { topic.uri.utf8.count + self.overhead }

    /// Takes in what a session held in an earlier life. It is not subscribed to yet.
    package mutating func restore(_ topic: Topic, by session: UInt64) { self.hold(topic, by: session) }

    package func holders(of topic: Topic) -> Set<UInt64> { self.entries[topic]?.holders ?? [] }

    /// What a session holds.
    package func topics(of session: UInt64) -> [Topic] { (self.bySession[session] ?? []).sorted(by: Self.inOrder) }

    /// What a server has to be subscribed to anew after its connection was lost.
    package func topics(of server: String) -> [Topic] {
        self.entries.lazy.filter { $0.key.server == server && !$0.value.holders.isEmpty }.map(\.key)
            .sorted(by: Self.inOrder)
    }

    private func octets(heldBy session: UInt64) -> Int {
        (self.bySession[session] ?? []).reduce(0) { $0 + Self.octets($1) }
    }

    private mutating func hold(_ topic: Topic, by session: UInt64) {
        self.entries[topic, default: Entry()].holders.insert(session)
        self.bySession[session, default: []].insert(topic)
    }

    /// - Returns: whether that was the last one.
    private mutating func release(_ topic: Topic, by session: UInt64) -> Bool {
        self.entries[topic]?.holders.remove(session)
        self.bySession[session]?.remove(topic)
        if self.bySession[session]?.isEmpty == true { self.bySession[session] = nil }
        let isLast = self.entries[topic]?.holders.isEmpty ?? false
        self.forgetIfUnused(topic)
        return isLast
    }

    private mutating func forgetIfUnused(_ topic: Topic) {
        guard let entry = self.entries[topic], entry.holders.isEmpty, entry.waiting == nil else { return }
        self.entries[topic] = nil
    }

    private static func inOrder(_ left: Topic, _ right: Topic) -> Bool {
        (left.server, left.uri) < (right.server, right.uri)
    }
}

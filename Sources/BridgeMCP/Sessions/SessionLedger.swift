import BridgeCore
package import NIOCore

/// No more can be remembered: of these sessions' principal, or of all. Nothing was changed.
package struct LedgerFull: Error, Equatable {}

/// What has changed about sessions since their ids were sealed: which have ended, the log levels that were set, the
/// resources that were subscribed to.
///
/// The ledger is the fold of an append-only journal of JSON lines. Pure: the caller appends the lines it is given to the
/// journal, and feeds the journal's lines back in at the next start. Nothing is forgotten before it expires, for a session
/// that has ended must not come back; so it is bounded, and whoever would make one entry too many is refused.
package struct SessionLedger: Sendable {
    /// The most sessions remembered, of one principal and in all.
    package let maximumOfPrincipal: Int
    package let maximum: Int

    package struct Entry: Sendable, Hashable {
        /// When the session's id expires, and with it all need to remember it. Seconds since 1970.
        package var expires: UInt64
        package var ended = false
        package var level: LogSeverity?
        /// The resources whose changes it wants to hear of.
        package var topics: [ResourceTopic] = []
        /// Whose session it is; empty where an older version wrote the line.
        package var principal = ""
        /// Whether the session ends with its stream.
        package var endsWithStream = false
    }

    package private(set) var entries: [UInt64: Entry] = [:]
    private var principals: [String: Int] = [:]
    private var levels: [LogSeverity: Int] = [:]
    /// No entry expires before it.
    private var firstExpiry = UInt64.max

    package init(maximumOfPrincipal: Int = 16_384, maximum: Int = 262_144) {
        self.maximumOfPrincipal = maximumOfPrincipal
        self.maximum = maximum
    }

    package func isEnded(_ session: UInt64) -> Bool { self.entries[session]?.ended ?? false }
    package func level(of session: UInt64) -> LogSeverity? { self.entries[session]?.level }

    /// The lowest level that any session has set, as far as the expired ones have been forgotten.
    package var lowestLevel: LogSeverity? { self.levels.keys.min() }

    /// Ends a session; returns the journal's line.
    package mutating func end(
        _ session: UInt64, of principal: String, expires: UInt64
    ) throws(LedgerFull) -> ByteBuffer {
        let entry = Entry(expires: expires, ended: true, principal: principal)
        try self.checkRoom(for: session, of: principal)
        self.put(entry, session)
        return Self.line(session, entry)
    }

    /// Forgets a session that nobody can come back to, and returns the journal's line; nil when nothing is remembered of it.
    package mutating func forget(_ session: UInt64) -> ByteBuffer? {
        guard self.entries[session] != nil else { return nil }
        self.put(nil, session)
        return Self.line(session, Entry(expires: 0))
    }

    /// The sessions that end with their streams, as far as something is remembered of them.
    package var streamed: [UInt64] { self.entries.filter { $0.value.endsWithStream }.map(\.key) }

    /// Takes an end back that could not be written: the session is as it was.
    package mutating func takeBack(_ session: UInt64, _ before: Entry?) { self.put(before, session) }

    /// Sets a session's log level; returns the journal's line, or nil when nothing changed.
    package mutating func set(
        _ level: LogSeverity, for session: UInt64, of principal: String, expires: UInt64, endsWithStream: Bool = false
    ) throws(LedgerFull) -> ByteBuffer? {
        guard self.entries[session]?.level != level else { return nil }
        return try self.change(session, of: principal, expires: expires) {
            $0.level = level
            $0.endsWithStream = endsWithStream
        }
    }

    /// Sets what a session has subscribed to; returns the journal's line, or nil when nothing changed.
    package mutating func set(
        _ topics: [ResourceTopic], for session: UInt64, of principal: String, expires: UInt64,
        endsWithStream: Bool = false
    ) throws(LedgerFull) -> ByteBuffer? {
        guard (self.entries[session]?.topics ?? []) != topics else { return nil }
        return try self.change(session, of: principal, expires: expires) {
            $0.topics = topics
            $0.endsWithStream = endsWithStream
        }
    }

    private mutating func change(
        _ session: UInt64, of principal: String, expires: UInt64, _ change: (inout Entry) -> Void
    ) throws(LedgerFull) -> ByteBuffer? {
        guard !self.isEnded(session) else { return nil }
        try self.checkRoom(for: session, of: principal)
        var entry = self.entries[session] ?? Entry(expires: expires)
        entry.expires = expires
        entry.principal = principal
        change(&entry)
        self.put(entry, session)
        return Self.line(session, entry)
    }

    private func checkRoom(for session: UInt64, of principal: String) throws(LedgerFull) {
        guard self.entries[session] == nil else { return }
        guard self.entries.count < self.maximum, self.principals[principal, default: 0] < self.maximumOfPrincipal else {
            throw LedgerFull()
        }
    }

    /// Every change goes through here, so that the counts are right.
    private mutating func put(_ entry: Entry?, _ session: UInt64) {
        if let old = self.entries[session] {
            self.principals[old.principal] = Self.less(self.principals[old.principal])
            if let level = old.level { self.levels[level] = Self.less(self.levels[level]) }
        }
        self.entries[session] = entry
        guard let entry else { return }
        self.principals[entry.principal, default: 0] += 1
        if let level = entry.level { self.levels[level, default: 0] += 1 }
        self.firstExpiry = min(self.firstExpiry, entry.expires)
    }

    private static func less(_ count: Int?) -> Int? { count.flatMap { $0 > 1 ? $0 - 1 : nil } }

    /// Applies one line of the journal. A line that is not one (a torn write) is passed over.
    package mutating func replay(_ line: ByteBuffer) {
        guard let text = try? JSONText(validating: line),
            let session = text.string("s").flatMap({ UInt64($0, radix: 16) }),
            let expires = text.int("x"), expires >= 0
        else { return }
        guard expires > 0 else { return self.put(nil, session) }
        var entry = Entry(expires: UInt64(expires))
        entry.ended = text.bool("ended") ?? false
        entry.level = text.string("level").flatMap(LogSeverity.init(rawValue:))
        entry.principal = text.string("p") ?? ""
        entry.endsWithStream = text.bool("stream") ?? false
        if let topics = text.value("topics") { entry.topics = Self.topics(in: topics) }
        if !self.isEnded(session) { self.put(entry, session) }
    }

    /// Forgets what has expired.
    ///
    /// - Returns: the sessions that have.
    @discardableResult
    package mutating func forgetExpired(now: UInt64) -> [UInt64] {
        guard self.firstExpiry <= now else { return [] }
        let expired = self.entries.filter { $0.value.expires <= now }.keys
        for session in expired { self.put(nil, session) }
        self.firstExpiry = self.entries.values.lazy.map(\.expires).min() ?? .max
        return Array(expired)
    }

    /// A journal that says what has not expired, and no more.
    package func compacted(now: UInt64) -> ByteBuffer {
        var journal = ByteBuffer()
        for (session, entry) in self.entries.sorted(by: { $0.key < $1.key }) where now < entry.expires {
            journal.writeImmutableBuffer(Self.line(session, entry))
        }
        return journal
    }

    private static func line(_ session: UInt64, _ entry: Entry) -> ByteBuffer {
        let text = JSONWriter.object { line in
            line.member("s", String(session, radix: 16))
            line.member("x", Int(entry.expires))
            if !entry.principal.isEmpty { line.member("p", entry.principal) }
            if entry.ended { line.member("ended", true) }
            if entry.endsWithStream { line.member("stream", true) }
            line.member("level", ifPresent: entry.level?.rawValue)
            guard !entry.topics.isEmpty else { return }
            line.memberArray("topics") { list in
                for topic in entry.topics { list.element([topic.server, topic.uri]) }
            }
        }
        var buffer = text.bytes
        buffer.writeStaticString("\n")
        return buffer
    }

    private static func topics(in list: JSONText) -> [ResourceTopic] {
        guard list.kind == .array else { return [] }
        var topics: [ResourceTopic] = []
        list.elements { span in
            let pair = list[span]
            var words: [String] = []
            if pair.kind == .array { pair.elements { words.append(pair[$0].string ?? "") } }
            if words.count == 2 { topics.append(ResourceTopic(server: words[0], uri: words[1])) }
        }
        return topics
    }
}

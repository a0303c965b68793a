package import NIOCore

/// What has changed about sessions since their ids were sealed: which have ended, and the log levels that were set.
///
/// The ledger is the fold of an append-only journal of JSON lines. Pure: the caller appends the lines it is given to the
/// journal, and feeds the journal's lines back in at the next start.
package struct SessionLedger: Sendable {
    /// The most sessions remembered; beyond it the ones that expire first are forgotten.
    package static let maximumEntries = 262_144

    package struct Entry: Sendable, Hashable {
        /// When the session's id expires, and with it all need to remember it. Seconds since 1970.
        package var expires: UInt64
        package var ended = false
        package var level: LogSeverity?
    }

    package private(set) var entries: [UInt64: Entry] = [:]

    package init() {}

    package func isEnded(_ session: UInt64) -> Bool { self.entries[session]?.ended ?? false }
    package func level(of session: UInt64) -> LogSeverity? { self.entries[session]?.level }

    /// Ends a session; returns the journal's line.
    package mutating func end(_ session: UInt64, expires: UInt64) -> ByteBuffer {
        self.entries[session] = Entry(expires: expires, ended: true)
        self.bound()
        return Self.line(session, Entry(expires: expires, ended: true))
    }

    /// Takes an end back that could not be written: the session is as it was.
    package mutating func takeBack(_ session: UInt64, _ before: Entry?) { self.entries[session] = before }

    /// Sets a session's log level; returns the journal's line, or nil when nothing changed.
    package mutating func set(_ level: LogSeverity, for session: UInt64, expires: UInt64) -> ByteBuffer? {
        guard self.entries[session]?.level != level, !self.isEnded(session) else { return nil }
        let entry = Entry(expires: expires, level: level)
        self.entries[session] = entry
        self.bound()
        return Self.line(session, entry)
    }

    /// The lowest level that any live session asked for.
    package func lowestLevel(now: UInt64) -> LogSeverity? {
        self.entries.values.lazy.filter { !$0.ended && $0.expires > now }.compactMap(\.level).min()
    }

    /// Applies one line of the journal. A line that is not one (a torn write) is passed over.
    package mutating func replay(_ line: ByteBuffer) {
        guard let text = try? JSONText(validating: line),
            let session = text.string("s").flatMap({ UInt64($0, radix: 16) }),
            let expires = text.int("x"), expires >= 0
        else { return }
        var entry = Entry(expires: UInt64(expires))
        entry.ended = text.bool("ended") ?? false
        entry.level = text.string("level").flatMap(LogSeverity.init(rawValue:))
        if !self.isEnded(session) { self.entries[session] = entry }
    }

    /// Forgets what has expired and returns a journal that says the rest and no more.
    package mutating func compacted(now: UInt64) -> ByteBuffer {
        self.entries = self.entries.filter { $0.value.expires > now }
        self.bound()
        var journal = ByteBuffer()
        for (session, entry) in self.entries.sorted(by: { $0.key < $1.key }) {
            journal.writeImmutableBuffer(Self.line(session, entry))
        }
        return journal
    }

    private mutating func bound() {
        guard self.entries.count > Self.maximumEntries else { return }
        let kept = self.entries.sorted { $0.value.expires > $1.value.expires }.prefix(Self.maximumEntries * 3 / 4)
        self.entries = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }

    private static func line(_ session: UInt64, _ entry: Entry) -> ByteBuffer {
        let text = JSONWriter.object { line in
            line.member("s", String(session, radix: 16))
            line.member("x", Int(entry.expires))
            if entry.ended { line.member("ended", true) }
            line.member("level", ifPresent: entry.level?.rawValue)
        }
        var buffer = text.bytes
        buffer.writeStaticString("\n")
        return buffer
    }
}

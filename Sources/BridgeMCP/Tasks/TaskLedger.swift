import BridgeCore
package import NIOCore

/// The tasks that there are, by whose they are: what `tasks/list` shows, and where news of a task goes.
///
/// The ledger is the fold of lines in an append-only journal. It is a convenience: an id says all by itself, and brings back
/// what has been forgotten. Pure: the caller appends the lines it is given, and feeds them back in at the next start.
package struct TaskLedger: Sendable {
    package struct Record: Sendable, Equatable {
        package var claims: TaskClaims
        /// Until when its server said that it keeps it, in seconds since 1970. It may do so longer.
        package var until: UInt64
        /// Whether it is known to have ended.
        package var isOver: Bool

        package init(_ claims: TaskClaims, until: UInt64, isOver: Bool = false) {
            self.claims = claims
            self.until = until
            self.isOver = isOver
        }

        func isUnderWay(now: UInt64) -> Bool { !self.isOver && now < self.until }
    }

    /// The most tasks under way of one principal.
    package let maximumUnderWay: Int
    /// The most tasks remembered, of one principal and in all.
    package let maximumOfPrincipal: Int
    package let maximum: Int

    private var records: [TaskKey: Record] = [:]
    private var keys: [String: Set<TaskKey>] = [:]

    package init(maximumUnderWay: Int = 256, maximumOfPrincipal: Int = 1_024, maximum: Int = 16_384) {
        self.maximumUnderWay = maximumUnderWay
        self.maximumOfPrincipal = maximumOfPrincipal
        self.maximum = maximum
    }

    package var count: Int { self.records.count }

    package subscript(key: TaskKey) -> Record? { self.records[key] }

    /// Whether a principal may make one more.
    ///
    /// - Parameter further: that are being made already.
    package func admits(_ principal: String, further: Int, now: UInt64) -> Bool {
        let underWay = (self.keys[principal] ?? []).count { self.records[$0]?.isUnderWay(now: now) ?? false }
        guard underWay + further < self.maximumUnderWay else { return false }
        return self.records.count < self.maximum || self.records.values.contains { !$0.isUnderWay(now: now) }
    }

    /// A principal's tasks, the newest first.
    ///
    /// - Parameter last: shown before; only what comes behind it is given.
    package func records(of principal: String, behind last: TaskClaims?) -> [Record] {
        let records = (self.keys[principal] ?? []).compactMap { self.records[$0] }
        let rest = last.map { last in records.filter { Self.isInFront(last, $0.claims) } } ?? records
        return rest.sorted { Self.isInFront($0.claims, $1.claims) }
    }

    private static func isInFront(_ left: TaskClaims, _ right: TaskClaims) -> Bool {
        if left.created != right.created { return left.created > right.created }
        return (left.key.server, left.key.ownID, left.key.life) < (right.key.server, right.key.ownID, right.key.life)
    }

    /// Remembers a task, and forgets another where there is no room: one that is over, the oldest first.
    ///
    /// - Returns: the journal's lines; nil where it is remembered just so.
    package mutating func put(_ record: Record, now: UInt64) -> ByteBuffer? {
        guard self.records[record.claims.key] != record else { return nil }
        var lines = ByteBuffer()
        if self.records[record.claims.key] == nil {
            if (self.keys[record.claims.principal]?.count ?? 0) >= self.maximumOfPrincipal {
                self.makeRoom(among: self.keys[record.claims.principal] ?? [], now: now, &lines)
            } else if self.records.count >= self.maximum {
                self.makeRoom(among: self.records.keys, now: now, &lines)
            }
        }
        self.insert(record)
        lines.writeImmutableBuffer(Self.line(record))
        return lines
    }

    private mutating func makeRoom(among keys: some Sequence<TaskKey>, now: UInt64, _ lines: inout ByteBuffer) {
        let rank = { (record: Record) in (record.isUnderWay(now: now) ? 1 : 0, record.claims.created) }
        let worst = keys.compactMap { self.records[$0] }.min { rank($0) < rank($1) }
        if let worst, let line = self.forget(worst.claims.key) { lines.writeImmutableBuffer(line) }
    }

    /// - Returns: the journal's line; nil where it was not remembered.
    package mutating func forget(_ key: TaskKey) -> ByteBuffer? {
        guard let record = self.remove(key) else { return nil }
        return Self.line(record, isGone: true)
    }

    /// Forgets what no id is good for any more.
    package mutating func forgetExpired(now: UInt64) {
        for key in self.records.filter({ $0.value.claims.expires <= now }).keys { _ = self.remove(key) }
    }

    private mutating func insert(_ record: Record) {
        _ = self.remove(record.claims.key)
        self.records[record.claims.key] = record
        self.keys[record.claims.principal, default: []].insert(record.claims.key)
    }

    private mutating func remove(_ key: TaskKey) -> Record? {
        guard let record = self.records.removeValue(forKey: key) else { return nil }
        self.keys[record.claims.principal]?.remove(key)
        if self.keys[record.claims.principal]?.isEmpty == true { self.keys[record.claims.principal] = nil }
        return record
    }

    // MARK: The journal

    /// Applies one line of the journal. A line of another kind is passed over.
    package mutating func replay(_ line: ByteBuffer) {
        guard let text = try? JSONText(validating: line), let ownID = text.string("task"),
            let server = text.string("of"), let principal = text.string("p"), let life = text.int("life"),
            let session = text.string("in").flatMap({ UInt64($0, radix: 16) }),
            let created = text.int("made"), let until = text.int("until"), created >= 0, until >= 0
        else { return }
        let key = TaskKey(server: server, life: life, ownID: ownID)
        guard text.bool("gone") != true else {
            _ = self.remove(key)
            return
        }
        let claims = TaskClaims(key: key, principal: principal, session: session, created: UInt64(created))
        self.insert(Record(claims, until: UInt64(until), isOver: text.bool("over") ?? false))
    }

    /// Lines that say what has not expired, and no more.
    package func compacted(now: UInt64) -> ByteBuffer {
        var journal = ByteBuffer()
        let records = self.records.values.filter { now < $0.claims.expires }
        for record in records.sorted(by: { Self.isInFront($1.claims, $0.claims) }) {
            journal.writeImmutableBuffer(Self.line(record))
        }
        return journal
    }

    private static func line(_ record: Record, isGone: Bool = false) -> ByteBuffer {
        let claims = record.claims
        let text = JSONWriter.object { line in
            line.member("task", claims.key.ownID)
            line.member("of", claims.key.server)
            line.member("life", claims.key.life)
            line.member("p", claims.principal)
            line.member("in", String(claims.session, radix: 16))
            line.member("made", Int(claims.created))
            line.member("until", Int(record.until))
            if record.isOver { line.member("over", true) }
            if isGone { line.member("gone", true) }
        }
        var buffer = text.bytes
        buffer.writeStaticString("\n")
        return buffer
    }
}

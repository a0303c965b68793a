import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

/// Sessions: their ids, what is in memory of them, and their end.
extension SessionWorker {
    /// The claims of a session id that is good for this principal, now.
    func claims(of id: String, principal: String) -> SessionClaims? {
        let found: (claims: SessionClaims, digest: String)
        if let known = self.known[id] {
            found = known
        } else {
            guard let claims = self.seal.open(id) else { return nil }
            found = (claims, SessionSeal.digest(of: id))
            self.known[id] = found
        }
        guard found.claims.principal == principal, found.claims.expires > WallClock.seconds(),
            !self.ledger.isEnded(found.claims.number)
        else { return nil }
        self.noticeUse(of: found.claims.number)
        return found.claims
    }

    /// Counts a session as one in use. The count stops at 16,384; nothing but the status depends on it.
    func noticeUse(of session: UInt64) {
        guard self.recent.count < 16_384 || self.recent[session] != nil else { return }
        guard self.recent.updateValue(.now(), forKey: session) == nil, self.ledger.level(of: session) == nil else {
            return
        }
        self.levels.withoutLevel += 1
        if self.levels.withoutLevel == 1 { self.passOnLevel() }
    }

    /// Forgets, for the count, the sessions that have not been used for long and listen to nothing; and whatever expired.
    func forgetSessions(now: NIODeadline) {
        let idle = self.configuration.idleMemory.timeAmount
        self.recent = self.recent.filter { number, used in
            now - used <= idle || self.sessions[number]?.isIdle == false
        }
        self.ledger.forgetExpired(now: WallClock.seconds())
        self.levels.withoutLevel = self.recent.keys.count { self.ledger.level(of: $0) == nil }
        self.passOnLevel()
    }

    /// The session in memory, put there if it is not.
    func liveSession(_ claims: SessionClaims, id: String) -> LiveSession {
        let now = NIODeadline.now()
        if let session = self.sessions[claims.number] {
            session.lastUsed = now
            return session
        }
        let session = LiveSession(
            claims: claims, digest: self.known[id]?.digest ?? SessionSeal.digest(of: id),
            level: self.ledger.level(of: claims.number), now: now
        )
        session.owesListChanged = self.catalogueChangedAt.map { claims.created <= $0 } ?? false
        self.sessions[claims.number] = session
        return session
    }

    /// A new session's id. The session is not kept anywhere: the id says it all.
    func newSession(_ claims: SessionClaims) -> String? {
        self.noticeUse(of: claims.number)
        return self.seal.seal(claims)
    }

    /// Ends a session for good. The future succeeds once that is on the disk; fails when it cannot be written, and then the
    /// session goes on as if nothing had been asked.
    func end(_ claims: SessionClaims) -> EventLoopFuture<Void> {
        let before = self.ledger.entries[claims.number]
        let line: ByteBuffer
        do {
            line = try self.ledger.end(claims.number, of: claims.principal, expires: claims.expires)
        } catch {
            return self.loop.makeFailedFuture(error)
        }
        let written = self.journal.append(line)
        written.assumeIsolated().whenComplete { [weak self] result in
            switch result {
            case .success: self?.forget(claims)
            case .failure: self?.ledger.takeBack(claims.number, before)
            }
        }
        return written
    }

    private func forget(_ claims: SessionClaims) {
        // What level it had is forgotten by now.
        if self.recent.removeValue(forKey: claims.number) != nil, self.sessions[claims.number]?.level == nil {
            self.levels.withoutLevel -= 1
        }
        self.passOnLevel()
        if let session = self.sessions.removeValue(forKey: claims.number) {
            for call in Array(session.calls.values) { call.abort(.cancelled) }
            self.cancelWaiting(in: session)
            for stream in Array(session.streams.values) { stream.abandon() }
            session.streams = [:]
            session.endListening()
        }
    }

    /// Which messages a session hears from now on.
    func set(_ level: LogSeverity, for session: LiveSession) throws(LedgerFull) {
        let claims = session.claims
        let hadNone = self.ledger.level(of: claims.number) == nil
        if let line = try self.ledger.set(level, for: claims.number, of: claims.principal, expires: claims.expires) {
            let logger = self.logger
            self.journal.append(line).whenFailure { error in
                logger.error("Session journal cannot be written", metadata: ["error": "\(error)"])
            }
        }
        session.level = level
        if hadNone, self.recent[claims.number] != nil { self.levels.withoutLevel -= 1 }
        self.levels.wasSet = true
        self.passOnLevel()
    }

    /// Tells the upstreams the lowest level that any session wants; nothing before one has said so.
    func passOnLevel() {
        guard let level = self.levels.wanted(lowest: self.ledger.lowestLevel) else { return }
        for upstream in self.upstreams where upstream.takesLogLevel { upstream.set(level: level) }
    }

    func compactJournal() {
        let logger = self.logger
        self.journal.compact(to: self.ledger.compacted(now: WallClock.seconds())).whenFailure {
            logger.error("Session journal cannot be compacted", metadata: ["error": "\($0)"])
        }
    }

    func nextStreamNumber() -> UInt64 {
        self.nextStream += 1
        return self.nextStream
    }

    /// A notification that belongs to no call: to the clients that use this upstream now, else to all that listen.
    func broadcast(_ note: ByteBuffer, from upstream: UpstreamLink) {
        let severity = LogMessage.severity(of: note)
        let listening = self.sessions.values.filter { !$0.listening.isEmpty && $0.wants(severity) }
        let users = listening.filter { session in session.calls.values.contains { $0.upstream === upstream } }
        for session in users.isEmpty ? listening : users where !session.tell(note) {
            self.retention.droppedNotes += 1
        }
    }
}

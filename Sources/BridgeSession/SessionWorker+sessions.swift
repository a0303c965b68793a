import BridgeCore
import BridgeLink
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
            // A cache, not a table: it may forget everything at any time.
            if self.known.count >= 4_096 { self.known.removeAll(keepingCapacity: true) }
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
        self.recent[session] = .now()
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
        let line = self.ledger.end(claims.number, expires: claims.expires)
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
        self.recent[claims.number] = nil
        if let session = self.sessions.removeValue(forKey: claims.number) {
            for call in Array(session.calls.values) { call.abort(.cancelled) }
            self.cancelWaiting(in: session)
            for stream in Array(session.streams.values) { stream.abandon() }
            session.streams = [:]
            session.listening?.end()
        }
    }

    func set(_ level: LogSeverity, for session: LiveSession) {
        session.level = level
        let claims = session.claims
        if let line = self.ledger.set(level, for: claims.number, expires: claims.expires) {
            let logger = self.logger
            self.journal.append(line).whenFailure { error in
                logger.error("Session journal cannot be written", metadata: ["error": "\(error)"])
            }
        }
        guard let lowest = self.ledger.lowestLevel(now: WallClock.seconds()) else { return }
        for upstream in self.upstreams where upstream.takesLogLevel { upstream.set(level: lowest) }
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
        let listening = self.sessions.values.filter { $0.listening != nil && $0.wants(severity) }
        let users = listening.filter { session in session.calls.values.contains { $0.upstream === upstream } }
        for session in users.isEmpty ? listening : users { session.listening?.send(note) }
    }
}

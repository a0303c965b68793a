import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

/// What time brings about, every second.
extension SessionWorker {
    func scheduleHousekeeping() {
        self.housekeeping = self.loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
            self?.scheduleHousekeeping()
            self?.keepHouse()
        }
    }

    /// Everything that time brings about. A test passes in the time.
    func keepHouse(now: NIODeadline = .now()) {
        for session in Array(self.sessions.values) {
            for call in Array(session.calls.values) { self.abortIfOverdue(call, now: now) }
            self.primeQuietStreams(of: session, now: now)
            for (number, stream) in session.streams {
                if let finished = stream.finished, now - finished > self.configuration.resultRetention.timeAmount {
                    session.streams[number] = nil
                }
            }
            if session.isIdle, now - session.lastUsed > self.configuration.idleMemory.timeAmount {
                self.sessions[session.claims.number] = nil
            }
        }
        if now - self.recentPruned > .seconds(60) {
            self.recentPruned = now
            self.forgetSessions(now: now)
        }
        self.boundMemory()
        if self.journal.growth > Self.journalAllowance { self.compactJournal() }
        self.serveWaitingRequests()
        self.report()
    }

    /// A call waits 10 seconds for a worker that is away: longer than any but a worker that fails again and again takes.
    private static let workerPatience = TimeAmount.seconds(10)

    private func abortIfOverdue(_ call: Call, now: NIODeadline) {
        let upstream = call.upstream
        if call.deadline <= now {
            call.abort(.timeout(upstream.route.name))
        } else if !upstream.isConnected, now - call.waitingSince > Self.workerPatience {
            call.abort(.unavailable(upstream.route.name, "its worker is not running"))
        }
    }

    /// After 5 seconds without a word a stream begins, so that the call survives its connection.
    private func primeQuietStreams(of session: LiveSession, now: NIODeadline) {
        guard session.claims.revision.allowsPrimingEvents else { return }
        for call in session.calls.values where now - call.stream.opened > .seconds(5) { call.stream.prime() }
    }

    /// Idle sessions beyond 4,096 go, the oldest first; and of what is kept for clients that come back, what is beyond 64
    /// MiB: first results that nobody fetched, then the events of calls still under way.
    func boundMemory() {
        if self.sessions.count > 4_096 {
            let idle = self.sessions.values.filter(\.isIdle).sorted { $0.lastUsed < $1.lastUsed }
            for session in idle.prefix(self.sessions.count - 4_096) { self.sessions[session.claims.number] = nil }
        }
        let streams = self.sessions.values.flatMap { $0.streams.values }
        var bytes = streams.reduce(0) { $0 + Self.cost(of: $1) }
        guard bytes > Retention.maximum else { return }
        let oldestFirst = streams.sorted { $0.opened < $1.opened }
        for stream in oldestFirst where stream.finished != nil && bytes > Retention.maximum {
            bytes -= Self.cost(of: stream)
            stream.session.streams[stream.number] = nil
        }
        for stream in oldestFirst where stream.finished == nil && bytes > Retention.maximum {
            bytes -= stream.keptBytes
            stream.forgetEvents()
        }
    }

    /// A stream costs something even when it keeps nothing.
    private static func cost(of stream: ClientStream) -> Int { stream.keptBytes + 1_024 }

    /// Tells the supervisor how things are, when they are otherwise than last told.
    private func report() {
        let status = JSONWriter.object { status in
            status.member("sessions", self.recent.count)
            status.member("listening", self.sessions.values.reduce(0) { $0 + $1.listening.count })
            status.member("callsInFlight", self.callsInFlight)
            status.member("droppedNotifications", self.retention.droppedNotes)
            status.member("tools", self.catalogue.tools.count)
            status.memberObject("toolCounts") { counts in
                for upstream in self.upstreams { counts.member(upstream.route.name, upstream.tools?.count ?? 0) }
            }
            status.memberArray("collisions") { list in
                for collision in self.catalogue.collisions.prefix(32) {
                    list.object {
                        $0.member("name", collision.name)
                        $0.member("kept", collision.kept)
                        $0.member("refused", collision.refused)
                    }
                }
            }
        }
        guard status.bytes != self.reported else { return }
        self.reported = status.bytes
        _ = self.control.open(
            header: JSONText(literal: #"{"op":"status"}"#), payload: status.bytes, delegate: AnswerWaiter { _ in }
        )
    }
}

import BridgeConfiguration
import BridgeCore
import Logging
import NIOCore

// What is heard of the connection.

extension ConnectionKeeper: ConnectionDelegate {
    func connectionOpened(_ connection: any Connection) {
        guard connection === self.connection else { return }
        let conversation = Conversation(
            self.configuration, offerings: self.offerings, desk: self.desk, news: self.news, logLevel: self.logLevel,
            logger: self.logger)
        self.conversation = conversation
        conversation.delegate = self
        conversation.isReading = self.isReading
        // A child has no secrets from its own log.
        if connection.pid == nil {
            conversation.complaints.masked = { [weak connection] in connection?.masked($0) ?? $0 }
        }
        conversation.keep(self.isKept, now: .now())
        self.hasGreeted = false
        self.greet()
        self.delegate?.keeperChanged(self)
    }

    func greet() {
        guard let conversation, !self.holdsGreeting, !self.hasGreeted else { return }
        self.hasGreeted = true
        conversation.begin(
            proposing: self.proposals.begin(now: .now()), idsBehind: .random(in: 0..<1 << 30))
    }

    func connectionSpoke(_ connection: any Connection) {
        guard connection === self.connection, self.conversation?.heard() == true else { return }
        self.delegate?.keeperDeadlinesChanged(self)
        self.sendSoon()
    }

    func connection(_ connection: any Connection, received message: JSONText, answering request: Int?) {
        if connection === self.connection { self.conversation?.received(message, answering: request) }
    }

    func connection(_ connection: any Connection, couldNotRead what: Unreadable, answering request: Int?) {
        if connection === self.connection { self.conversation?.couldNotRead(what, answering: request) }
    }

    func connectionBecameWritable(_ connection: any Connection) {
        if connection === self.connection { self.sendSoon() }
    }

    func connection(_ connection: any Connection, lost request: Int, _ loss: RequestLoss) {
        guard connection === self.connection else { return }
        if self.conversation?.lost(request, loss) != true { self.desk.lost(request, loss) }
    }

    func connection(_ connection: any Connection, mayHold request: Int, for time: TimeAmount) -> Bool {
        let end = NIODeadline.now() + time
        return self.desk.waits(for: request, until: end) && self.attemptDeadline.map { end < $0 } ?? true
    }

    func connectionWaits(_ connection: any Connection, reason: String, for seconds: Int) {
        guard connection === self.connection else { return }
        let reason = connection.masked(reason)
        let end = NIODeadline.now() + .seconds(Int64(seconds))
        self.hold = (end, reason)
        self.desk.failWaiting(reason, retryAfter: seconds, until: end)
    }

    func connectionLost(_ connection: any Connection, reason: String, retryAfter: Int?) {
        guard connection === self.connection else { return }
        self.lost(reason, peace: retryAfter.map { .seconds(Int64($0)) })
    }

    func connectionEnded(_ connection: any Connection) {
        guard connection === self.connection else { return }
        self.connection = nil
        self.perform(self.lifecycle.ended(now: .now()))
    }
}

// A server that wants to be left in peace.
extension ConnectionKeeper {
    /// Whom the server wants to be left in peace by is somebody else now.
    func askAnew() {
        self.conversation?.askAnew(now: .now())
        self.hold = nil
        guard self.lifecycle.peace(now: .now()) != nil else { return }
        // Without a call it is not tried again by itself.
        if !self.isNeeded { self.perform(self.lifecycle.delayOver(now: .distantFuture, isNeeded: false)) }
        guard self.lifecycle.peace(now: .now()) != nil else { return }
        self.perform(self.lifecycle.reconfigured(policy: self.configuration.reconnect, reconnect: true))
    }

    /// - Returns: what a call is told at once that waits for so long at most, since the server wants to be left in peace for
    ///   longer; `nil` where it may wait.
    func refusal(ofOneWaiting limit: TimeAmount, now: NIODeadline) -> (reason: String, retryAfter: Int)? {
        let reason = self.lifecycle.peace(now: now) == nil ? self.hold?.reason : self.record.lastError
        guard let peace = self.lifecycle.peace(now: now) ?? self.hold.map({ $0.end - now }),
            peace > min(limit, .seconds(Int64(RetryAfter.longestWait)))
        else { return nil }
        return (reason ?? "it wants to be left in peace", RetryAfter.seconds(peace))
    }
}

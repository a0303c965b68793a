import BridgeMCP
import NIOCore

/// Which sessions are in use: how many, for people; and how many of them have set no log level, for the upstreams.
///
/// Pure: times come in. Time goes in rounds of a second or so: who is used is noticed once in each. Nothing but these two
/// numbers depends on it, and no more than ``maximum`` sessions are counted.
struct SessionUse {
    static let maximum = 16_384

    private(set) var round = 0
    private(set) var levels = LogLevels()
    private var lastUsed: [UInt64: NIODeadline] = [:]

    var count: Int { self.lastUsed.count }

    mutating func beginRound() { self.round += 1 }

    /// A session is used.
    ///
    /// - Parameter hasLevel: asked only where the session had not been counted.
    /// - Returns: whether it is the first in use without a level.
    mutating func noticed(_ session: UInt64, now: NIODeadline, hasLevel: @autoclosure () -> Bool) -> Bool {
        guard self.lastUsed.count < Self.maximum || self.lastUsed[session] != nil else { return false }
        guard self.lastUsed.updateValue(now, forKey: session) == nil, !hasLevel() else { return false }
        self.levels.withoutLevel += 1
        return self.levels.withoutLevel == 1
    }

    /// A session has set a level.
    mutating func levelWasSet(by session: UInt64, hadNone: Bool) {
        self.levels.wasSet = true
        if hadNone, self.lastUsed[session] != nil { self.levels.withoutLevel -= 1 }
    }

    /// Levels were set in an earlier life.
    mutating func levelsWereSet() { self.levels.wasSet = true }

    mutating func ended(_ session: UInt64, hadLevel: Bool) {
        if self.lastUsed.removeValue(forKey: session) != nil, !hadLevel { self.levels.withoutLevel -= 1 }
    }

    /// Forgets the sessions that have not been used for long, and counts anew.
    ///
    /// - Parameter isBusy: whether a session is used without asking for anything: it listens, or has calls under way.
    mutating func forgetUnused(
        for limit: TimeAmount, now: NIODeadline, isBusy: (UInt64) -> Bool, hasLevel: (UInt64) -> Bool
    ) {
        self.lastUsed = self.lastUsed.filter { session, used in now - used <= limit || isBusy(session) }
        self.levels.withoutLevel = self.lastUsed.keys.count { !hasLevel($0) }
    }
}

import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Sessions in use") struct SessionUseTests {
    private let start = NIODeadline.now()

    @Test func `are counted once each, and those without a level apart`() {
        var use = SessionUse()
        let told = [(1, false), (1, false), (2, true), (3, false)].map { session, hasLevel in
            use.noticed(session, now: self.start, hasLevel: hasLevel)
        }
        #expect(told == [true, false, false, false], "the first without a level")
        #expect(use.count == 3 && use.levels.withoutLevel == 2)
        use.levelWasSet(by: 1, hadNone: true)
        use.levelWasSet(by: 1, hadNone: false)
        #expect(use.levels.withoutLevel == 1 && use.levels.wasSet)
        use.ended(2, hadLevel: true)
        use.ended(3, hadLevel: false)
        use.ended(4, hadLevel: false)
        #expect(use.count == 1 && use.levels.withoutLevel == 0)
    }

    @Test func `are forgotten when they are not used for long, unless they are busy`() {
        var use = SessionUse()
        for session in 1...3 as ClosedRange<UInt64> {
            _ = use.noticed(session, now: self.start + .seconds(session == 3 ? 5 : 0), hasLevel: false)
        }
        use.forgetUnused(
            for: .seconds(5), now: self.start + .seconds(6), isBusy: { $0 == 2 }, hasLevel: { $0 == 3 })
        #expect(use.count == 2 && use.levels.withoutLevel == 1)
        let isFirst = use.noticed(1, now: self.start, hasLevel: false)
        #expect(!isFirst)
        #expect(use.count == 3)
    }

    @Test func `are counted up to a limit`() {
        var use = SessionUse()
        for session in 0..<UInt64(SessionUse.maximum) { _ = use.noticed(session, now: self.start, hasLevel: true) }
        let isFirst = use.noticed(.max, now: self.start, hasLevel: false)
        #expect(!isFirst)
        #expect(use.count == SessionUse.maximum && use.levels.withoutLevel == 0)
    }
}

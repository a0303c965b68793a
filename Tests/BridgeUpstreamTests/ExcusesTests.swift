import Testing

@testable import BridgeUpstream

@Suite("Errors that answer notifications") struct ExcusesTests {
    /// How many errors in a row are excused.
    private func excused(_ excuses: Excuses) -> Int {
        var excuses = excuses
        var count = 0
        while excuses.take() { count += 1 }
        return count
    }

    @Test func `each notification excuses one error`() {
        var excuses = Excuses()
        #expect(self.excused(excuses) == 0)
        excuses.notified(behind: 3)
        excuses.notified(behind: 4)
        #expect(self.excused(excuses) == 2)
    }

    @Test func `a request that was sent later and is answered shows that none will come`() {
        var excuses = Excuses()
        excuses.notified(behind: 3)
        excuses.answered(3)
        #expect(self.excused(excuses) == 1)
        excuses.notified(behind: 5)
        excuses.answered(5)
        #expect(self.excused(excuses) == 1)
        excuses.answered(6)
        #expect(self.excused(excuses) == 0)
    }

    @Test func `no more are kept than anybody needs`() {
        var excuses = Excuses()
        for number in 0..<1_000 { excuses.notified(behind: number) }
        #expect(self.excused(excuses) == 64)
    }
}

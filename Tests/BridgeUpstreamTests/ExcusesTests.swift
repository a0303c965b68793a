import Testing

@testable import BridgeUpstream

@Suite("Errors that answer notifications") struct ExcusesTests {
    @Test func `each notification excuses one error`() {
        var excuses = Excuses()
        #expect(!excuses.take())
        excuses.notified(behind: 3)
        excuses.notified(behind: 4)
        #expect(excuses.take())
        #expect(excuses.take())
        #expect(!excuses.take())
    }

    @Test func `a request that was sent later and is answered shows that none will come`() {
        var excuses = Excuses()
        excuses.notified(behind: 3)
        excuses.answered(3)
        #expect(excuses.take())
        excuses.notified(behind: 3)
        excuses.notified(behind: 5)
        excuses.answered(5)
        #expect(excuses.take())
        #expect(!excuses.take())
    }

    @Test func `no more are kept than anybody needs`() {
        var excuses = Excuses()
        for number in 0..<1_000 { excuses.notified(behind: number) }
        var taken = 0
        while excuses.take() { taken += 1 }
        #expect(taken == 64)
    }
}

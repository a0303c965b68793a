import Testing

@testable import BridgeSupervisor

@Suite("Patience with servers that are added") struct ChangePatienceTests {
    @Test func `what begins at once has its patience`() {
        var patience = ChangePatience(.seconds(30), at: .seconds(100))
        let over = [100, 129.9, 130].map { patience.isOver(at: .seconds($0), hasBegun: true) }
        #expect(over == [false, false, true])
    }

    @Test func `what has to wait for its predecessor has it from when that has ended`() {
        var patience = ChangePatience(.seconds(5), beginningWithin: .seconds(16), at: .zero)
        let waiting = [0, 8].map { patience.isOver(at: .seconds($0), hasBegun: false) }
        #expect(waiting == [false, false])
        let begun = [8.5, 13.4, 13.5].map { patience.isOver(at: .seconds($0), hasBegun: true) }
        #expect(begun == [false, false, true])
    }

    @Test func `to begin once is enough`() {
        var patience = ChangePatience(.seconds(5), beginningWithin: .seconds(16), at: .zero)
        let first = patience.isOver(at: .seconds(1), hasBegun: true)
        let later = patience.isOver(at: .seconds(6), hasBegun: false)
        #expect(!first && later)
    }

    @Test func `what never begins, or begins late, is bounded all the same`() {
        var never = ChangePatience(.seconds(5), beginningWithin: .seconds(16), at: .zero)
        let over = [20.9, 21].map { never.isOver(at: .seconds($0), hasBegun: false) }
        #expect(over == [false, true])
        var late = ChangePatience(.seconds(5), beginningWithin: .seconds(16), at: .zero)
        let overLate = [18, 21].map { late.isOver(at: .seconds($0), hasBegun: true) }
        #expect(overLate == [false, true])
    }
}

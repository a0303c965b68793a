import Testing

@testable import BridgeCore

@Suite("Callers by number") struct CallerBindingTests {
    private static func number(_ opening: CallerBinding.Opening) -> BindingNumber {
        switch opening {
        case .binds(let number), .isBound(let number, _): number
        }
    }

    private static func isKnown(_ opening: CallerBinding.Opening) -> Bool {
        if case .isBound = opening { true } else { false }
    }

    @Test func `go by their number once a request that gave it has been taken up`() throws {
        let caller = CallerBinding(BindingNumbers())
        let first = caller.open()
        #expect(!Self.isKnown(first))
        #expect(!Self.isKnown(caller.open()), "the first may have been refused")
        let number = Self.number(first)
        #expect(Self.number(caller.open()) == number)
        caller.taken(number)
        guard case .isBound(let known, let header) = caller.open() else {
            Issue.record("it is not known")
            return
        }
        #expect(known == number)
        #expect(header.description == #"{"b":\#(number.rawValue)}"#)
        #expect(SessionOpening(header) == .bound(number, requestID: ""))
    }

    @Test func `get another number where theirs is not known`() {
        let caller = CallerBinding(BindingNumbers())
        let first = Self.number(caller.open())
        caller.taken(first)
        caller.unknown(first)
        let second = caller.open()
        #expect(!Self.isKnown(second) && Self.number(second) != first)
        // Both of these are about a number that is over.
        caller.taken(first)
        #expect(!Self.isKnown(caller.open()))
        caller.taken(Self.number(second))
        caller.unknown(first)
        #expect(Self.isKnown(caller.open()))
    }

    @Test func `bind again on another link`() {
        let numbers = BindingNumbers()
        let caller = CallerBinding(numbers)
        let first = Self.number(caller.open())
        caller.taken(first)
        numbers.linkLost()
        let second = caller.open()
        #expect(!Self.isKnown(second) && Self.number(second) != first)
        #expect(Self.number(second).slot == first.slot, "the slots are all free")
    }

    @Test func `give their slot back, and its next number is another`() {
        let numbers = BindingNumbers()
        var seen: Set<BindingNumber> = []
        for _ in 0..<100 {
            let caller = CallerBinding(numbers)
            let number = Self.number(caller.open())
            #expect(number.slot == 0)
            #expect(seen.insert(number).inserted)
        }
    }

    @Test func `lose their number to others where there are too many, the oldest first`() {
        let numbers = BindingNumbers(slots: 3)
        let callers = (0..<4).map { _ in CallerBinding(numbers) }
        let given = callers.map { Self.number($0.open()) }
        for (caller, number) in zip(callers, given) { caller.taken(number) }
        #expect(given.map(\.slot) == [0, 1, 2, 0])
        #expect([3, 2, 1, 0].map { Self.isKnown(callers[$0].open()) } == [true, true, true, false])
        #expect(!Self.isKnown(callers[1].open()), "it was its turn")
    }
}

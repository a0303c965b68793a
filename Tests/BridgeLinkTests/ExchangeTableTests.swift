import BridgeCore
import BridgeTesting
import Testing

@testable import BridgeLink

@Suite("The exchanges of a link") struct ExchangeTableTests {
    @Test func `have numbers of their side, slot and count, none of which is 0`() {
        for side in [ExchangeNumber.Side.listener, .dialler] {
            var table = ExchangeTable<Int>(side: side)
            for round in 1...5 as ClosedRange<UInt64> {
                let numbers = (0..<10).compactMap { table.add($0) }
                #expect(Set(numbers.map(\.index)) == Set(0..<10))
                for (element, number) in numbers.enumerated() {
                    #expect(number.side == side && number.count == round && number.rawValue != 0)
                    #expect(ExchangeNumber(rawValue: number.rawValue) == number)
                    #expect(table[number] == element)
                    let removed = [table.remove(number), table.remove(number)]
                    #expect(removed == [element, nil])
                }
                #expect(table.count == 0)
            }
        }
    }

    @Test func `are as many as there are slots, and one is free again when one is over`() {
        var table = ExchangeTable<Int>(side: .dialler)
        let numbers = (0..<ExchangeNumber.slots).compactMap { table.add($0) }
        #expect(Set(numbers).count == ExchangeNumber.slots)
        #expect(numbers.allSatisfy { $0.rawValue <= Frame.maximumExchange })
        var more = table.add(-1)
        #expect(more == nil)
        table.remove(numbers[4_711])
        more = table.add(-2)
        #expect(more?.index == numbers[4_711].index)
        #expect(table[numbers[4_711]] == nil)
        #expect(more.flatMap { table[$0] } == -2)
        let all = table.removeAll()
        #expect(all.count == ExchangeNumber.slots)
        #expect(table.count == 0 && table.elements.isEmpty)
        #expect(more.flatMap { table[$0] } == nil)
        more = table.add(0)
        #expect(more != nil)
    }

    @Test func `of the peer are admitted once each, in the peer's own slots, and not beside another one`() {
        var table = ExchangeTable<Int>(side: .listener)
        let first = ExchangeNumber(side: .dialler, index: 3, count: 0)
        let second = ExchangeNumber(side: .dialler, index: 3, count: 7)
        var isAdmitted = table.admit(ExchangeNumber(side: .listener, index: 3, count: 1))
        #expect(!isAdmitted, "not the peer's")
        isAdmitted = table.admit(ExchangeNumber(rawValue: 0))
        #expect(!isAdmitted)
        isAdmitted = table.admit(first)
        #expect(isAdmitted)
        isAdmitted = table.admit(first)
        #expect(!isAdmitted)
        #expect(table[first] == nil)
        var isPlaced = table.place(1, at: first)
        #expect(isPlaced && table[first] == 1)
        isAdmitted = table.admit(second)
        #expect(!isAdmitted, "the slot is in use")
        table.remove(first)
        isAdmitted = table.admit(second)
        #expect(isAdmitted)
        isPlaced = table.place(1, at: first)
        #expect(!isPlaced, "its slot is another's")
        isPlaced = table.place(2, at: second)
        #expect(isPlaced && table[second] == 2 && table[first] == nil)
        table.remove(second)
        isAdmitted = table.admit(first)
        #expect(!isAdmitted, "it has been")
    }

    @Test func `go on counting when a slot has used all its counts`() {
        let last = (UInt64(1) << 39) - 1
        #expect(ExchangeNumber.count(after: last) == 1)
        #expect(ExchangeNumber.isCount(1, after: last))
        #expect(!ExchangeNumber.isCount(last, after: 1))
        #expect(!ExchangeNumber.isCount(5, after: 5))
        #expect(ExchangeNumber(side: .dialler, index: 8_191, count: last).rawValue == Frame.maximumExchange)
        #expect(ExchangeNumber(rawValue: .max).rawValue == Frame.maximumExchange)
    }

    /// A frame on its way: for which exchange it was meant.
    private struct Late {
        var number = ExchangeNumber(rawValue: 0)
        var exchange = -1
        var isEnd = false
    }

    /// Both ends open exchanges in eight slots and end them; ends, cancels and credits of theirs arrive at either end, in any
    /// order and again, at once or long after the slot has been used anew: each meets its own exchange or none.
    @Test func `are met by their own frames alone, over slots that are used a million times`() {
        var random = SeededRandom(seed: 5)
        var listener = ExchangeTable<Int>(side: .listener)
        var dialler = ExchangeTable<Int>(side: .dialler)
        var live = [Late](repeating: Late(), count: 8)
        var late = [Late](repeating: Late(), count: 1 << 10)
        var wrong = 0
        var met = 0
        for exchange in 0..<1_000_000 {
            let draw = Int(truncatingIfNeeded: random.next() >> 1)
            // One of the two ends the exchange that has this place, if it is still there, and the next one is opened.
            let place = draw & 7
            let old = live[place]
            if old.exchange >= 0,
                listener.remove(old.number) != old.exchange || dialler.remove(old.number) != old.exchange
            {
                wrong += 1
            }
            guard let number = draw & 8 == 0 ? listener.add(exchange) : dialler.add(exchange) else {
                wrong += 1
                continue
            }
            if draw & 8 == 0 {
                if !dialler.admit(number) || !dialler.place(exchange, at: number) { wrong += 1 }
            } else {
                if !listener.admit(number) || !listener.place(exchange, at: number) { wrong += 1 }
            }
            live[place] = Late(number: number, exchange: exchange)
            late[exchange & 0x3FF] = Late(number: number, exchange: exchange, isEnd: draw & 16 == 0)
            // Of what is on its way, something arrives: of the newest ones, or of any.
            let age = draw >> 8 & (draw & 32 == 0 ? 0xF : 0x3FF)
            let frame = late[(exchange &- age) & 0x3FF]
            guard let found = draw & 64 == 0 ? listener[frame.number] : dialler[frame.number] else { continue }
            met += 1
            if found != frame.exchange { wrong += 1 }
            guard frame.isEnd else { continue }
            if listener.remove(frame.number) != found || dialler.remove(frame.number) != found { wrong += 1 }
            for place in 0..<8 where live[place].exchange == found { live[place] = Late() }
        }
        let left = live.count { $0.exchange >= 0 }
        #expect(wrong == 0)
        #expect(met > 10_000 && met < 900_000, "some come in time, some too late")
        #expect(listener.count == left && dialler.count == left)
    }
}

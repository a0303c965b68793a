import BridgeTesting
import Testing

@testable import BridgeCore

@Suite("Exchange window") struct ExchangeWindowTests {
    private func take(_ octets: Int, of window: inout ExchangeWindow) -> Bool { window.take(octets) }

    @Test func `lets 64 messages go, and the next when one is given back`() {
        var window = ExchangeWindow()
        for _ in 0..<64 { #expect(self.take(0, of: &window)) }
        #expect(!window.isOpen)
        #expect(!self.take(0, of: &window))
        window.give(messages: 1, octets: 0)
        #expect(self.take(0, of: &window))
        #expect(!self.take(0, of: &window))
    }

    @Test func `lets a megabyte go, and may be overdrawn by one message`() {
        var window = ExchangeWindow()
        #expect(self.take(ExchangeWindow.octets - 1, of: &window))
        #expect(window.isOpen)
        #expect(self.take(ExchangeWindow.octets, of: &window))
        #expect(!window.isOpen)
        #expect(!self.take(0, of: &window))
        window.give(messages: 1, octets: ExchangeWindow.octets - 1)
        #expect(!window.isOpen, "exactly used up is not open")
        window.give(messages: 0, octets: 1)
        #expect(window.isOpen)
    }

    @Test func `stays as it is when it refuses`() {
        var window = ExchangeWindow()
        #expect(self.take(.max, of: &window))
        let before = window
        #expect(!self.take(1, of: &window))
        #expect(window == before)
    }

    @Test func `counts a message of any size as at most the whole window`() {
        #expect(ExchangeWindow.cost(of: 64 << 20) == 1 << 20)
        #expect(ExchangeWindow.cost(of: 5) == 5)
        var window = ExchangeWindow()
        #expect(self.take(64 << 20, of: &window))
        window.give(messages: 1, octets: ExchangeWindow.cost(of: 64 << 20))
        #expect(window == ExchangeWindow())
    }

    @Test func `never grows beyond itself, and is not shrunk by a gift`() {
        var window = ExchangeWindow()
        window.give(messages: .max / 2, octets: .max / 2)
        #expect(window == ExchangeWindow())
        window.give(messages: -5, octets: -5)
        #expect(window == ExchangeWindow())
    }

    @Test func `is given back in halves, by messages or by octets`() {
        var credit = ConsumedCredit()
        var early = (0..<31).compactMap { _ in credit.consume(1)?.messages }
        #expect(early.isEmpty)
        var back = credit.consume(1)
        #expect(back?.messages == 32)
        #expect(back?.octets == 32)
        #expect(credit == ConsumedCredit())
        early = [credit.consume(ExchangeWindow.octets / 2 - 1)?.messages].compactMap(\.self)
        #expect(early.isEmpty)
        back = credit.consume(1)
        #expect(back?.messages == 2)
        #expect(back?.octets == ExchangeWindow.octets / 2)
        back = credit.consume(64 << 20)
        #expect(back?.octets == ExchangeWindow.octets)
    }

    /// A sender with more to send, and a receiver that reads whatever arrived, in any order of sending, arriving, reading
    /// and giving back: something can always happen until everything has arrived.
    @Test(arguments: 0..<200)
    func `never brings sender and receiver to wait for each other`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var window = ExchangeWindow()
        var credit = ConsumedCredit()
        let sizes = (0..<400).map { _ -> Int in
            switch Int.random(in: 0..<5, using: &random) {
            case 0: return 0
            case 1: return Int.random(in: 1...300, using: &random)
            case 2: return Int.random(in: 0...ExchangeWindow.octets / 2, using: &random)
            case 3: return ExchangeWindow.octets / 2 - 1
            default: return Int.random(in: 0...64 << 20, using: &random)
            }
        }
        var unsent = sizes[...]
        var onTheWay: [Int] = []
        var creditsOnTheWay: [(messages: Int, octets: Int)] = []
        var received = 0
        var unacknowledged = 0
        while received < sizes.count {
            var moves: [Int] = []
            if unsent.first != nil, window.isOpen { moves.append(0) }
            if !onTheWay.isEmpty { moves.append(1) }
            if !creditsOnTheWay.isEmpty { moves.append(2) }
            guard let move = moves.randomElement(using: &random) else {
                Issue.record("nothing can move after \(received) messages")
                return
            }
            switch move {
            case 0:
                let size = unsent.removeFirst()
                #expect(self.take(size, of: &window))
                onTheWay.append(size)
                unacknowledged += 1
                #expect(unacknowledged <= ExchangeWindow.messages)
            case 1:
                received += 1
                if let back = credit.consume(onTheWay.removeFirst()) { creditsOnTheWay.append(back) }
            default:
                let back = creditsOnTheWay.removeFirst()
                unacknowledged -= back.messages
                window.give(messages: back.messages, octets: back.octets)
            }
        }
        #expect(window.isOpen || !creditsOnTheWay.isEmpty)
    }
}

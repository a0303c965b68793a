import BridgeTesting
import Testing

@testable import BridgeCore
@testable import BridgeSession

@Suite("Bindings of a link") struct BindingTableTests {
    private static func number(_ opening: CallerBinding.Opening) -> BindingNumber {
        switch opening {
        case .binds(let number), .isBound(let number, _): number
        }
    }

    @Test func `a number that never was, or is no number, is nothing`() {
        let table = BindingTable<Int>()
        for rawValue in [1, 16_384, 16_385, Int.max] {
            let number = BindingNumber(rawValue: rawValue)
            #expect(number != nil && number.flatMap { table[$0] } == nil)
            #expect(number.map { BindingNumbers().isCurrent($0) } == false)
        }
        #expect(BindingNumber(rawValue: 0) == nil)
        #expect(BindingNumber(rawValue: -1) == nil)
    }

    @Test func `a slot's next number takes its place, and an earlier one comes too late`() {
        let table = BindingTable<String>()
        let (first, second) = (BindingNumber(slot: 5, count: 1), BindingNumber(slot: 5, count: 2))
        table.bind(first, to: "a")
        #expect(table[first] == "a" && table[second] == nil)
        table.bind(second, to: "b")
        #expect(table[first] == nil && table[second] == "b")
        table.bind(first, to: "a")
        #expect(table[first] == nil && table[second] == "b")
    }

    // MARK: In any order

    /// One end with more connections than slots, and its peer. What they send each other arrives in any order, long after
    /// its connection has closed, and on the link after the next: only the checks of numbers stand between the callers.
    private struct World {
        struct Request {
            let id: Int
            let connection: Int
            let opening: CallerBinding.Opening
        }

        struct Reply {
            let request: Request
            let isUnknown: Bool
        }

        var random: SeededRandom
        let numbers = BindingNumbers(slots: 6)
        var table = BindingTable<Int>()
        var connections: [(id: Int, caller: CallerBinding)] = []
        var requests: [Request] = []
        var replies: [Reply] = []
        var lastID = 0
        /// By request: how often it ran.
        var ran: [Int: Int] = [:]
        var ranForAnother = 0
        var byNumber = 0
        var unknown = 0

        init(seed: UInt64) {
            self.random = SeededRandom(seed: seed)
            for _ in 0..<7 { self.connect() }
        }

        mutating func below(_ bound: Int) -> Int { Int(self.random.next() % UInt64(bound)) }

        /// Of what is on its way, which arrives next: a new one as a rule, so that some stay there for long.
        mutating func place(of count: Int) -> Int { self.below(4) == 0 ? self.below(count) : count - 1 }

        mutating func connect() {
            self.lastID += 1
            self.connections.append((self.lastID, CallerBinding(self.numbers)))
        }

        mutating func step() {
            switch self.below(1_000) {
            case ..<300:
                let (id, caller) = self.connections[self.below(self.connections.count)]
                self.lastID += 1
                self.requests.append(Request(id: self.lastID, connection: id, opening: caller.open()))
            case ..<640: self.deliverRequest()
            case ..<980: self.deliverReply()
            case ..<997:
                self.connections.remove(at: self.below(self.connections.count))
                self.connect()
            default:
                self.numbers.linkLost()
                self.table = BindingTable()
            }
        }

        mutating func deliverRequest() {
            guard !self.requests.isEmpty else { return }
            let request = self.requests.remove(at: self.place(of: self.requests.count))
            switch request.opening {
            case .binds(let number):
                self.table.bind(number, to: request.connection)
                self.run(request, as: request.connection)
            case .isBound(let number, _):
                guard let caller = self.table[number] else {
                    self.replies.append(Reply(request: request, isUnknown: true))
                    return
                }
                self.byNumber += 1
                self.run(request, as: caller)
            }
        }

        mutating func run(_ request: Request, as caller: Int) {
            if caller != request.connection { self.ranForAnother += 1 }
            self.ran[request.id, default: 0] += 1
            self.replies.append(Reply(request: request, isUnknown: false))
        }

        mutating func deliverReply() {
            guard !self.replies.isEmpty else { return }
            let reply = self.replies.remove(at: self.place(of: self.replies.count))
            guard let (id, caller) = self.connections.first(where: { $0.id == reply.request.connection }) else {
                return
            }
            let number = BindingTableTests.number(reply.request.opening)
            guard reply.isUnknown else { return caller.taken(number) }
            self.unknown += 1
            caller.unknown(number)
            self.requests.append(Request(id: reply.request.id, connection: id, opening: caller.open()))
        }
    }

    @Test(arguments: 1...8)
    func `nothing ever runs for somebody else, nor twice, whatever order it arrives in`(seed: Int) {
        var world = World(seed: UInt64(seed))
        for _ in 0..<50_000 { world.step() }
        while !world.requests.isEmpty || !world.replies.isEmpty {
            world.deliverRequest()
            world.deliverReply()
        }
        #expect(world.ranForAnother == 0)
        #expect(world.ran.values.allSatisfy { $0 == 1 })
        #expect(world.byNumber > 100, "numbers are used")
        #expect(world.unknown > 100, "and some come too late")
    }
}

import BridgeCore
import BridgeTesting
import NIOCore
import Testing

@testable import BridgeSession

@Suite("The queue of requests for models") struct ChatQueueTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func request(
        _ id: Int, _ principal: String = "a", sources: Set<String> = [], needs: ChatNeeds = [], after: TimeAmount? = nil
    ) -> ChatQueue.Request {
        ChatQueue.Request(
            id: id, principal: principal, sources: sources, needs: needs, deadline: after.map { Self.start + $0 })
    }

    private func source(
        _ name: String = "s", abilities: ChatNeeds = [], limit: Int = 1, isReady: Bool = true
    ) -> ChatQueue.Source {
        ChatQueue.Source(name: name, abilities: abilities, limit: limit, isReady: isReady)
    }

    @Test func `refuses at once what nobody could answer, and says why`() {
        var queue = ChatQueue(limit: 10)
        queue.submit(self.request(1))
        #expect(queue.takeSteps() == [.fail(1, .noSource)])
        queue.set(self.source("other"), as: 7)
        queue.submit(self.request(2, sources: ["mine"]))
        #expect(queue.takeSteps() == [.fail(2, .noSource)])
        queue.set(self.source("mine", isReady: false), as: 8)
        queue.submit(self.request(3, sources: ["mine"]))
        #expect(queue.takeSteps() == [.fail(3, .notReady)])
        queue.submit(self.request(4, needs: .tools))
        #expect(queue.takeSteps() == [.fail(4, .noTools)])
        queue.submit(self.request(5, needs: .audio))
        #expect(queue.takeSteps() == [.fail(5, .noAudio)])
        #expect(queue.countWaiting == 0)
    }

    @Test func `asks the least busy, and of those the one that was asked longest ago`() {
        var queue = ChatQueue(limit: 10)
        queue.set(self.source(limit: 2), as: 1)
        queue.set(self.source(limit: 2), as: 2)
        for id in 1...3 { queue.submit(self.request(id)) }
        #expect(queue.takeSteps() == [.ask(1, 1), .ask(2, 2), .ask(3, 1)])
        queue.finish(1)
        queue.finish(3)
        queue.submit(self.request(4))
        #expect(queue.takeSteps() == [.ask(4, 1)])
        queue.finish(4)
        queue.finish(2)
        queue.submit(self.request(5))
        #expect(queue.takeSteps() == [.ask(5, 2)])
    }

    @Test func `is fair between principals, however much one of them wants`() {
        var queue = ChatQueue(limit: 200)
        queue.set(self.source(), as: 1)
        for id in 1...100 { queue.submit(self.request(id, "greedy")) }
        queue.submit(self.request(101, "modest"))
        queue.submit(self.request(102, "other"))
        #expect(queue.takeSteps() == [.ask(1, 1)])
        var order: [Int] = []
        for _ in 0..<5 {
            guard let asked = queue.asked.keys.first else { break }
            queue.finish(asked)
            for case .ask(let id, _) in queue.takeSteps() { order.append(id) }
        }
        #expect(order == [2, 101, 102, 3, 4])
    }

    @Test func `takes no more than may wait, and fails what waits too long`() {
        var queue = ChatQueue(limit: 1)
        queue.set(self.source(), as: 1)
        for id in 1...3 { queue.submit(self.request(id, after: .seconds(Int64(id)))) }
        #expect(queue.takeSteps() == [.ask(1, 1), .fail(3, .full)])
        queue.expire(now: Self.start + .milliseconds(999))
        #expect(queue.takeSteps() == [])
        queue.expire(now: Self.start + .seconds(5))
        #expect(queue.takeSteps() == [.fail(1, .unanswered), .fail(2, .waited)])
        queue.submit(self.request(4))
        #expect(queue.takeSteps() == [.ask(4, 1)])
    }

    @Test func `a source that vanishes loses what it was asked, and nothing else`() {
        var queue = ChatQueue(limit: 10)
        queue.set(self.source(), as: 1)
        queue.set(self.source(limit: 0), as: 2)
        queue.submit(self.request(1))
        queue.submit(self.request(2))
        #expect(queue.takeSteps() == [.ask(1, 1)])
        queue.remove(1)
        #expect(queue.takeSteps() == [.fail(1, .lost)])
        #expect(queue.countWaiting == 1)
        queue.set(self.source(limit: 1), as: 2)
        #expect(queue.takeSteps() == [.ask(2, 2)])
        queue.remove(2)
        queue.submit(self.request(3))
        #expect(queue.takeSteps() == [.fail(2, .lost), .fail(3, .noSource)])
    }

    @Test func `what a source was not asked after all goes to the next, before what came later`() {
        var queue = ChatQueue(limit: 10)
        queue.set(self.source(), as: 1)
        queue.set(self.source(), as: 2)
        for id in 1...3 { queue.submit(self.request(id)) }
        #expect(queue.takeSteps() == [.ask(1, 1), .ask(2, 2)])
        queue.giveBack(1, isFull: false)
        #expect(queue.takeSteps() == [])
        queue.finish(2)
        #expect(queue.takeSteps() == [.ask(1, 2)])
        queue.giveBack(1, isFull: false)
        #expect(queue.takeSteps() == [.fail(1, .notReady), .fail(3, .notReady)])
    }

    @Test func `a source that is full for a moment is waited for`() {
        var queue = ChatQueue(limit: 10)
        queue.set(self.source(limit: 8), as: 1)
        for id in 1...2 { queue.submit(self.request(id)) }
        #expect(queue.takeSteps() == [.ask(1, 1), .ask(2, 1)])
        queue.giveBack(2, isFull: true)
        queue.submit(self.request(3))
        #expect(queue.takeSteps() == [] && queue.countWaiting == 2)
        queue.set(1, isReady: true, isFull: false)
        #expect(queue.takeSteps() == [.ask(2, 1), .ask(3, 1)])
    }

    /// What became of a request.
    private struct Fate {
        let request: ChatQueue.Request
        var asks = 0
        var givenBack = 0
        var ends = 0
    }

    @Test(arguments: 1...60) func `in whatever order things happen, nothing is lost and nothing is asked twice`(
        seed: Int
    ) {
        var random = SeededRandom(seed: UInt64(seed))
        var queue = ChatQueue(limit: 12)
        var fates: [Int: Fate] = [:]
        var now = Self.start
        func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }

        func settle() {
            for step in queue.takeSteps() {
                switch step {
                case .ask(let id, let sourceID):
                    fates[id]?.asks += 1
                    let source = queue.sources[sourceID]
                    let request = fates[id]?.request
                    #expect(source?.isReady == true && source?.isFull == false)
                    #expect(request?.needs.isSubset(of: source?.abilities ?? []) == true)
                    #expect(request?.sources.isEmpty != false || request?.sources.contains(source?.name ?? "") == true)
                case .fail(let id, let refusal):
                    fates[id]?.ends += 1
                    let wasAsked = (fates[id]?.asks ?? 0) > (fates[id]?.givenBack ?? 0)
                    #expect(wasAsked == (refusal == .lost || refusal == .unanswered))
                }
            }
            for (id, source) in queue.sources {
                #expect(source.busy == queue.asked.values.count { $0 == id })
            }
            // Nobody waits for what is there.
            let waiting = fates.filter { $0.value.ends == 0 && queue.asked[$0.key] == nil }
            #expect(waiting.count == queue.countWaiting)
            // What was given back waits again in any case.
            #expect(waiting.values.count { $0.givenBack == 0 } <= 12)
            for fate in waiting.values {
                let isFree = queue.sources.values.contains {
                    $0.isReady && !$0.isFull && $0.busy < $0.limit && fate.request.needs.isSubset(of: $0.abilities)
                        && (fate.request.sources.isEmpty || fate.request.sources.contains($0.name))
                }
                #expect(!isFree)
            }
        }

        for step in 0..<400 {
            now = now + .milliseconds(Int64(below(300)))
            let someSource = UInt64(below(4))
            switch below(9) {
            case 0...2:
                let request = ChatQueue.Request(
                    id: step, principal: "p\(below(3))", sources: below(2) == 0 ? [] : ["n\(below(2))"],
                    needs: below(4) == 0 ? .tools : [], deadline: below(2) == 0 ? nil : now + .seconds(5))
                fates[step] = Fate(request: request)
                queue.submit(request)
            case 3, 4:
                if let id = queue.asked.keys.sorted().randomElement(using: &random) {
                    fates[id]?.ends += 1
                    queue.finish(id)
                }
            case 5:
                if let id = queue.asked.keys.sorted().randomElement(using: &random) {
                    fates[id]?.givenBack += 1
                    queue.giveBack(id, isFull: below(2) == 0)
                }
            case 6:
                queue.set(
                    ChatQueue.Source(
                        name: "n\(below(2))", abilities: below(2) == 0 ? [.tools] : [], limit: 1 + below(3),
                        isReady: below(3) > 0, isFull: below(4) == 0), as: someSource)
            case 7 where below(2) == 0: queue.remove(someSource)
            case 7: queue.set(someSource, isReady: below(2) == 0, isFull: below(2) == 0)
            default: queue.expire(now: now)
            }
            settle()
        }
        for id in queue.sources.keys.sorted() { queue.remove(id) }
        settle()
        #expect(queue.countWaiting == 0 && queue.asked.isEmpty)
        for (id, fate) in fates {
            #expect(fate.ends == 1, "request \(id)")
            #expect(fate.asks <= fate.givenBack + 1, "request \(id)")
        }
    }
}

import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Questions") struct QuestionsTests {
    private let t0 = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private let id = ByteBuffer(string: "1")

    private func ask(
        _ questions: inout Questions, of call: Int?, whose: String = "a", isAskable: Bool = true,
        method: String = "elicitation/create", after time: TimeAmount = .zero
    ) -> Questions.Verdict {
        questions.asked(
            self.id, method, only: call.map { ($0, whose) }, isAskable: isAskable, now: self.t0 + time,
            deadline: self.t0 + time + .minutes(10))
    }

    @Test func `belong to the only call that is under way`() {
        var questions = Questions()
        #expect(self.ask(&questions, of: 7) == .ask(call: 7, number: 1))
        #expect(self.ask(&questions, of: 7) == .ask(call: 7, number: 2))
        #expect(questions.answered(2, by: 8) == nil, "another call's answer does not count")
        #expect(questions.answered(2, by: 7)?.call == 7)
        #expect(questions.answered(2, by: 7) == nil, "nor does a second one")
        #expect(questions.isAsking(7))
    }

    @Test func `of a session that is no more are taken out, and their answers count no more`() {
        var questions = Questions()
        _ = self.ask(&questions, of: 7)
        _ = self.ask(&questions, of: 7)
        #expect(questions.forgotten().map { $0.number } == [1, 2])
        #expect(questions.isEmpty && questions.answered(1, by: 7) == nil)
        #expect(self.ask(&questions, of: 7) == .ask(call: 7, number: 3), "no number means two questions")
    }

    @Test func `of several calls are refused once, and calls take turns from then on`() {
        var questions = Questions()
        #expect(!questions.takesTurns)
        #expect(self.ask(&questions, of: nil) == .ambiguous)
        #expect(questions.takesTurns)
        questions.begin()
        #expect(questions.takesTurns, "a new connection is the same server's")
        questions.replaced()
        #expect(!questions.takesTurns, "another program need not be like it")
    }

    @Test func `are declined where nobody can be asked, and calls take turns all the same`() {
        var questions = Questions()
        #expect(self.ask(&questions, of: 7, isAskable: false, method: "roots/list") == .decline)
        #expect(!questions.takesTurns, "roots are what the configuration says")
        #expect(self.ask(&questions, of: 7, isAskable: false) == .decline)
        #expect(questions.takesTurns)
    }

    @Test func `of a task belong to who waits for it, whatever else is under way`() {
        var questions = Questions()
        func ask(_ call: Int?) -> Questions.Verdict {
            questions.asked(
                self.id, "elicitation/create", forTaskOf: call, now: self.t0, deadline: self.t0 + .minutes(10))
        }
        #expect(ask(nil) == .decline)
        questions.gaveUp(6, whose: "b", now: self.t0)
        #expect(ask(7) == .ask(call: 7, number: 1))
        #expect(!questions.takesTurns, "nothing has to be told apart")
        #expect(questions.oldest?.call == 7)
        #expect(questions.oldestInTurn == nil)
        #expect(questions.over(7).count == 1)
        questions.asks = false
        #expect(ask(7) == .decline)
    }

    @Test func `go by the configuration where that says something`() {
        var never = Questions(asks: false)
        #expect(self.ask(&never, of: 7) == .decline)
        #expect(!never.takesTurns)
        #expect(Questions(asks: true).takesTurns)
        var own = Questions(asks: true)
        own.isOneClients = true
        #expect(!own.takesTurns, "whichever call asks, the client is the same")
    }

    @Test func `are not put to the next client while a call that was given up may still ask`() {
        var questions = Questions(asks: true)
        questions.gaveUp(6, whose: "a", now: self.t0)
        #expect(self.ask(&questions, of: 7, whose: "b") == .ambiguous)
        #expect(self.ask(&questions, of: 7, whose: "a") == .ask(call: 7, number: 1), "the same client may be asked")
        questions.answeredLate(6)
        #expect(self.ask(&questions, of: 8, whose: "b") == .ask(call: 8, number: 2))
        questions.gaveUp(8, whose: "b", now: self.t0)
        #expect(self.ask(&questions, of: 9, whose: "c", after: .seconds(29)) == .ambiguous)
        #expect(self.ask(&questions, of: 9, whose: "c", after: .seconds(30)) == .ask(call: 9, number: 3))
    }

    @Test func `are put to nobody while more calls that were given up may still ask than are remembered`() {
        var questions = Questions(asks: true)
        for call in 0..<100 { questions.gaveUp(call, whose: "\(call)", now: self.t0) }
        for call in 36..<100 { questions.answeredLate(call) }
        #expect(self.ask(&questions, of: 200, whose: "x", after: .seconds(29)) == .ambiguous)
        #expect(self.ask(&questions, of: 200, whose: "x", after: .seconds(30)) == .ask(call: 200, number: 1))
    }

    @Test func `of a client's own child go on in another of its calls, and may be answered in any`() {
        var questions = Questions()
        questions.isOneClients = true
        _ = self.ask(&questions, of: 7)
        questions.handOver(from: 7, to: 8)
        #expect(questions.over(7).isEmpty && questions.isAsking(8))
        #expect(questions.answered(1, by: 9)?.call == 8)
        let deadline = self.t0 + .minutes(10)
        _ = questions.asked(self.id, "elicitation/create", in: 8, isAskable: true, now: self.t0, deadline: deadline)
        questions.handOver(from: 8, to: 9)
        #expect(questions.answered(2, by: 9) == nil && questions.over(8).count == 1, "what is known is known")
    }

    @Test func `hold others' turns from the first that a call asks, however often it asks`() {
        var questions = Questions(asks: true)
        #expect(questions.turnHeldSince == nil)
        _ = self.ask(&questions, of: 7)
        _ = questions.answered(1, by: 7)
        #expect(questions.turnHeldSince == nil, "nobody waits behind a person then")
        _ = self.ask(&questions, of: 7, after: .seconds(25))
        #expect(questions.turnHeldSince == self.t0)
        _ = questions.over(7)
        _ = self.ask(&questions, of: 8, after: .seconds(30))
        #expect(questions.turnHeldSince == self.t0 + .seconds(30))
    }

    @Test func `on a call's own stream are that call's, and no reason to take turns`() {
        var questions = Questions()
        questions.gaveUp(6, whose: "a", now: self.t0)
        let deadline = self.t0 + .minutes(10)
        #expect(
            questions.asked(self.id, "elicitation/create", in: 7, isAskable: true, now: self.t0, deadline: deadline)
                == .ask(call: 7, number: 1))
        #expect(
            questions.asked(self.id, "elicitation/create", in: 8, isAskable: false, now: self.t0, deadline: deadline)
                == .decline)
        #expect(!questions.takesTurns)
    }

    @Test func `are bounded`() {
        var questions = Questions()
        for number in 1...Questions.maximum { #expect(self.ask(&questions, of: 7) == .ask(call: 7, number: number)) }
        #expect(self.ask(&questions, of: 7) == .full)
        for call in 0..<10_000 { questions.gaveUp(call, whose: "\(call)", now: self.t0) }
        #expect(self.ask(&questions, of: 7, whose: "9999") == .ambiguous)
        var flooded = Questions(asks: true)
        flooded.gaveUp(1, whose: "a", now: self.t0)
        for call in 2..<1_000 { flooded.gaveUp(call, whose: "b", now: self.t0) }
        #expect(self.ask(&flooded, of: 1_000, whose: "b") == .ambiguous, "one client's do not push another's out")
    }

    @Test func `end with their time, their call and their connection`() {
        var questions = Questions()
        _ = self.ask(&questions, of: 7)
        _ = self.ask(&questions, of: 7, after: .seconds(1))
        #expect(questions.oldest?.asked == self.t0)
        #expect(questions.nextDeadline == self.t0 + .minutes(10))
        #expect(questions.expire(now: self.t0 + .minutes(10) - .nanoseconds(1)).isEmpty)
        #expect(questions.expire(now: self.t0 + .minutes(10)).map(\.number) == [1])
        #expect(questions.over(8).isEmpty)
        #expect(questions.over(7).count == 1)
        #expect(questions.isEmpty)
        _ = self.ask(&questions, of: 9)
        questions.begin()
        #expect(questions.isEmpty)
        #expect(questions.nextDeadline == nil)
    }

    @Test func `can be taken back by the server, by its own id`() {
        var questions = Questions()
        _ = self.ask(&questions, of: 7)
        #expect(questions.withdrawn(ByteBuffer(string: "\"1\"")) == nil)
        #expect(questions.withdrawn(self.id)?.number == 1)
        #expect(questions.withdrawn(self.id) == nil)
    }
}

@Suite("Calls that ask") struct AskingCallsTests {
    private let t0 = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    @Test func `have a clock that stands still while somebody is asked`() throws {
        var calls = PendingCalls<String>()
        let added = calls.add("a", octets: 1, timeout: .seconds(10), isAskable: true, now: self.t0)
        let id = try #require(added)
        _ = calls.write()
        #expect(calls.pause(id, until: self.t0 + .minutes(10), now: self.t0 + .seconds(4)) == "a")
        #expect(calls.expire(now: self.t0 + .minutes(9)).isEmpty)
        calls.goOn(id, now: self.t0 + .minutes(9))
        #expect(calls.expire(now: self.t0 + .minutes(9) + .seconds(5)).isEmpty, "6 of its 10 seconds are left")
        #expect(calls.expire(now: self.t0 + .minutes(9) + .seconds(6)).count == 1)
    }

    @Test func `run one at a time, and alone`() {
        var calls = PendingCalls<String>()
        for (name, isAskable) in [("plain", false), ("asks", true), ("later", false)] {
            _ = calls.add(name, octets: 1, timeout: .seconds(10), isAskable: isAskable, now: self.t0)
        }
        let plain = calls.write(inTurns: true)
        #expect(plain?.caller == "plain")
        #expect(calls.write(inTurns: true) == nil, "another one runs")
        _ = calls.answered(plain?.id ?? 0)
        let asks = calls.write(inTurns: true)
        #expect(asks?.caller == "asks")
        #expect(calls.write(inTurns: true) == nil, "this one may be asked: no other may run beside it")
        _ = calls.lost(asks?.id ?? 0)
        #expect(calls.write(inTurns: true)?.caller == "later")
    }

    @Test func `are given up by the time they came at`() {
        var calls = PendingCalls<String>()
        for second in 0..<3 {
            let now = self.t0 + .seconds(Int64(second))
            _ = calls.add("\(second)", octets: 1, timeout: .seconds(300), isAskable: true, now: now)
        }
        _ = calls.write()
        #expect(calls.oldestWaiting == self.t0 + .seconds(1))
        #expect(calls.giveUpWaiting(since: self.t0 + .seconds(1)).map(\.caller) == ["1"])
        #expect(calls.oldestWaiting == self.t0 + .seconds(2))
        #expect(calls.count == 2)
        #expect(calls.likelyAsker { _ in false }?.caller == "0")
    }

    @Test func `are not taken by calls about tasks, and wait for none of them`() throws {
        var calls = PendingCalls<String>()
        func add(_ name: String, takesTurns: Bool = true) {
            _ = calls.add(
                name, octets: 1, timeout: .seconds(300), isAskable: true, takesTurns: takesTurns, now: self.t0)
        }
        add("result", takesTurns: false)
        add("first")
        add("second")
        add("get", takesTurns: false)
        #expect(calls.write(inTurns: true)?.caller == "result")
        #expect(!calls.isAskable)
        #expect(calls.onlyInTurn == nil)
        let next = calls.write(inTurns: true)
        let first = try #require(next)
        #expect(first.caller == "first")
        #expect(calls.write(inTurns: true)?.caller == "get", "it goes past the one that waits")
        #expect(calls.write(inTurns: true) == nil)
        #expect(calls.onlyInTurn?.caller == "first")
        #expect(calls.onlyWritten == nil)
        #expect(calls.likelyAsker(isAsking: { _ in false })?.caller == "first")
        #expect(calls.giveUpWaiting(since: self.t0).map(\.caller) == ["second"])
        _ = calls.answered(first.id)
        add("third")
        #expect(calls.write(inTurns: true)?.caller == "third")
        #expect(calls.connectionLost().count == 3)
        add("fourth")
        #expect(calls.write(inTurns: true)?.caller == "fourth")
        #expect(calls.onlyInTurn?.caller == "fourth")
    }
}

import BridgeCore
import BridgeHTTPClient
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Streams of an HTTP server") struct StreamMachineTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test func `the stream is opened again behind its last event, ever more slowly`() {
        var stream = ListeningStream()
        var now = Self.start
        #expect(stream.begin() == .open(after: nil))
        stream.opened(now: now)
        stream.event(id: "7")
        var delays: [Double] = []
        for _ in 0..<9 {
            guard case .wait(let until) = stream.ended(retry: nil, now: now) else { return #expect(Bool(false)) }
            delays.append(Double((until - now).nanoseconds) / 1e9)
            #expect(stream.delayOver(now: now) == .none)
            now = until
            #expect(stream.delayOver(now: now) == .open(after: "7"))
        }
        let expected = [1, 1.7, 2.89, 4.913, 8.3521, 14.198, 24.137, 30, 30]
        #expect(zip(delays, expected).allSatisfy { abs($0 - $1) < 0.01 }, "\(delays)")
        stream.opened(now: now)
        stream.event(id: nil)
        #expect(stream.ended(retry: nil, now: now) == .wait(until: now + .seconds(1)))
    }

    @Test(arguments: [(0, 100), (99, 100), (101, 101)])
    func `the server may not say that it is to be asked without a pause`(retry: Int, expected: Int64) {
        var answers = AnswerStream()
        answers.event(hasData: false, id: "1", retry: retry)
        let pause = TimeAmount.milliseconds(expected)
        #expect(answers.ended(isClean: true, isListening: true) == .resume(after: "1", in: pause))
        var stream = ListeningStream()
        _ = stream.begin()
        stream.opened(now: Self.start)
        stream.event(id: "1")
        #expect(stream.ended(retry: retry, now: Self.start) == .wait(until: Self.start + pause))
        _ = stream.delayOver(now: Self.start + pause)
        let refused = stream.refused(status: 503, retryAfter: 0, hasSession: true, now: Self.start)
        #expect(refused == .wait(until: Self.start + .seconds(1)))
    }

    @Test func `the server may say how long`() {
        var stream = ListeningStream()
        _ = stream.begin()
        stream.opened(now: Self.start)
        stream.event(id: "")
        #expect(stream.ended(retry: 250, now: Self.start) == .wait(until: Self.start + .milliseconds(250)))
        #expect(stream.delayOver(now: Self.start + .seconds(1)) == .open(after: nil))
    }

    @Test(arguments: [200, 400, 404, 405, 406, 501] as [UInt])
    func `a server that has none is not asked again`(status: UInt) {
        var stream = ListeningStream()
        _ = stream.begin()
        #expect(stream.refused(status: status, retryAfter: nil, hasSession: true, now: Self.start) == .none)
        #expect(!stream.isOpen)
        #expect(stream.delayOver(now: .distantFuture) == .none)
    }

    @Test(arguments: [429, 500, 502, 503] as [UInt]) func `a server that is busy is asked again`(status: UInt) {
        var stream = ListeningStream()
        _ = stream.begin()
        #expect(
            stream.refused(status: status, retryAfter: 9, hasSession: true, now: Self.start)
                == .wait(until: Self.start + .seconds(9)))
        #expect(stream.isOpen)
    }

    @Test func `a stream that was there and is unknown now tells of a lost session`() {
        var stream = ListeningStream()
        _ = stream.begin()
        stream.opened(now: Self.start)
        guard case .wait(let until) = stream.ended(retry: nil, now: Self.start) else { return #expect(Bool(false)) }
        _ = stream.delayOver(now: until)
        var without = stream
        #expect(stream.refused(status: 404, retryAfter: nil, hasSession: true, now: until) == .sessionUnknown)
        #expect(without.refused(status: 404, retryAfter: nil, hasSession: false, now: until) != .sessionUnknown)
    }

    @Test func `a stream that wants another token is asked for with that, and with the same not before a minute`() {
        var stream = ListeningStream()
        _ = stream.begin()
        #expect(stream.refused(status: 401, retryAfter: nil, hasSession: true, now: Self.start) == .none)
        #expect(!stream.isOpen)
        #expect(stream.wanted(now: Self.start + .seconds(59)) == .none)
        var patient = stream
        #expect(patient.wanted(now: Self.start + .seconds(60)) == .open(after: nil))
        #expect(stream.wanted(now: Self.start, hasOtherToken: true) == .open(after: nil))
        #expect(stream.refused(status: 404, retryAfter: nil, hasSession: true, now: Self.start) == .none)
        #expect(stream.wanted(now: .distantFuture, hasOtherToken: true) == .none, "it is not for want of a token")
        patient.opened(now: Self.start)
        #expect(patient.trialEnd == nil, "what is promised is on no trial, however often it is asked for")
    }

    @Test(arguments: [405, 501] as [UInt])
    func `a stream that was there and is not supported now is asked for when somebody calls, and not at once`(
        status: UInt
    ) {
        var stream = ListeningStream()
        _ = stream.begin()
        stream.opened(now: Self.start)
        guard case .wait(let until) = stream.ended(retry: nil, now: Self.start) else { return #expect(Bool(false)) }
        _ = stream.delayOver(now: until)
        #expect(stream.refused(status: status, retryAfter: nil, hasSession: true, now: until) == .none)
        #expect(!stream.isOpen)
        #expect(stream.wanted(now: until + .seconds(59), hasOtherToken: true) == .none)
        #expect(stream.wanted(now: until + .seconds(60)) == .open(after: nil))
    }

    @Test(arguments: [405, 404] as [UInt]) func `a server that never had one is not asked whoever calls`(status: UInt) {
        var stream = ListeningStream()
        _ = stream.begin()
        _ = stream.refused(status: status, retryAfter: nil, hasSession: true, now: Self.start)
        #expect(stream.wanted(now: .distantFuture) == .none)
        #expect(stream.passed(now: .distantFuture) == .none)
    }

    @Test func `streams that end as soon as they begin are asked for seldom`() {
        var stream = ListeningStream()
        var now = Self.start
        _ = stream.begin()
        var waits: [TimeAmount] = []
        for _ in 0..<4 {
            stream.opened(now: now)
            guard case .wait(let until) = stream.ended(retry: 110, now: now + .milliseconds(5)) else {
                return #expect(Bool(false))
            }
            waits.append(until - now - .milliseconds(5))
            now = until
            _ = stream.delayOver(now: now)
        }
        #expect(waits == [.milliseconds(110), .milliseconds(110), .seconds(60), .seconds(60)])
    }

    @Test(arguments: [405, 404, 501, 200] as [UInt])
    func `the trial of a stream that there is not is over at once and for good`(status: UInt) {
        let end = Self.start + ListeningStream.trial
        var stream = ListeningStream()
        _ = stream.begin(onTrialUntil: end)
        _ = stream.refused(status: status, retryAfter: nil, hasSession: true, now: Self.start)
        #expect(stream.trialOver(isWaitedFor: false, now: end) == false)
        #expect(stream.trialEnd == nil, "else it would be looked at again without a pause")
    }

    @Test func `a stream that nothing is said over is closed after ten minutes, unless somebody waits for it`() {
        let end = Self.start + ListeningStream.trial
        var stream = ListeningStream()
        #expect(stream.begin(onTrialUntil: end) == .open(after: nil))
        stream.opened(now: Self.start)
        // An id alone says nothing.
        stream.event(id: "1")
        #expect(stream.trialOver(isWaitedFor: false, now: end - .nanoseconds(1)) == false)
        #expect(stream.trialOver(isWaitedFor: true, now: end) == false)
        #expect(stream.isOpen)
        var useful = stream
        #expect(useful.passed(now: end) == .none)
        #expect(useful.trialOver(isWaitedFor: false, now: .distantFuture) == false)
        #expect(useful.isOpen)
        let later = end + ListeningStream.trial
        #expect(stream.trialOver(isWaitedFor: false, now: later) == true)
        #expect(!stream.isOpen && stream.trialEnd == nil)
        #expect(stream.ended(retry: nil, now: later) == .none, "it is not asked for again while nobody calls")
        var subscribed = stream
        #expect(stream.wanted(now: later) == .open(after: "1"), "what a call leads to may come over it")
        #expect(stream.isOpen && stream.trialEnd == later + ListeningStream.trial)
        #expect(stream.wanted(now: later) == .none)
        #expect(subscribed.passed(now: later) == .open(after: "1"))
        #expect(subscribed.trialEnd == nil, "whoever subscribes waits for news without end")
        #expect(stream.begin() == .open(after: nil))
        #expect(stream.trialOver(isWaitedFor: false, now: .distantFuture) == false, "it is promised")
    }

    @Test(arguments: [
        (#"{"tools":{"listChanged":true}}"#, true), (#"{"resources":{"subscribe":true}}"#, true),
        (#"{"tools":{},"logging":{},"x":5}"#, false), (#"{"tools":{"listChanged":false}}"#, false),
    ]) func `who tells of changes says so`(capabilities: String, expected: Bool) {
        #expect(JSONText(trusting: ByteBuffer(string: capabilities)).promisesNews == expected)
    }

    @Test func `a redirect may lead to where people sign in`() {
        let here = "https://a.example/mcp"
        for to in ["https://login.example/", "https://a.example/users/sign_in", "https://b.example/OAuth/authorize"] {
            #expect(HTTPFailure(.redirectedAway(from: here, to: to), mayHaveRun: false).leadsToSignIn)
            #expect(HTTPFailure(.redirectedOtherwise(from: here, to: to, status: 302), mayHaveRun: false).leadsToSignIn)
        }
        for to in ["https://b.example/mcp", "https://lessons.example/mcp", "https://b.example/processor"] {
            #expect(!HTTPFailure(.redirectedAway(from: here, to: to), mayHaveRun: false).leadsToSignIn)
        }
        #expect(!HTTPFailure(.unreachable("login"), mayHaveRun: false).leadsToSignIn)
    }

    // Of one request

    @Test func `an answered request is over however its stream ends`() {
        var stream = AnswerStream()
        stream.event(hasData: true, id: "1", retry: nil)
        stream.answered()
        #expect(stream.ended(isClean: false, isListening: true) == .over)
    }

    @Test func `behind an event the rest is asked for, some times`() {
        var stream = AnswerStream()
        stream.event(hasData: false, id: "1", retry: nil)
        #expect(stream.ended(isClean: true, isListening: true) == .resume(after: "1", in: .seconds(1)))
        #expect(stream.ended(isClean: false, isListening: true) == .resume(after: "1", in: .milliseconds(1_700)))
        stream.event(hasData: true, id: "2", retry: 140)
        for _ in 0..<AnswerStream.mostAttempts {
            #expect(stream.ended(isClean: false, isListening: false) == .resume(after: "2", in: .milliseconds(140)))
        }
        #expect(stream.ended(isClean: false, isListening: true) == .lost)
    }

    @Test func `a server that is too busy for the rest is asked again, when it says and some times`() {
        var stream = AnswerStream()
        stream.event(hasData: false, id: "1", retry: 140)
        stream.deferred(retryAfter: 3)
        #expect(stream.ended(isClean: false, isListening: true) == .resume(after: "1", in: .seconds(3)))
        for _ in 1..<AnswerStream.mostAttempts {
            stream.deferred(retryAfter: nil)
            #expect(stream.ended(isClean: false, isListening: true) == .resume(after: "1", in: .milliseconds(140)))
        }
        stream.deferred(retryAfter: 3)
        #expect(stream.ended(isClean: false, isListening: true) == .lost)
    }

    @Test(arguments: [(true, true, AnswerStream.End.elsewhere), (true, false, .lost), (false, true, .lost)])
    func `a stream without a word may have its answer elsewhere`(
        isClean: Bool, isListening: Bool, expected: AnswerStream.End
    ) {
        var stream = AnswerStream()
        #expect(stream.ended(isClean: isClean, isListening: isListening) == expected)
        var talkative = AnswerStream()
        talkative.event(hasData: true, id: nil, retry: nil)
        #expect(talkative.ended(isClean: isClean, isListening: isListening) == .lost)
    }

    @Test func `an id that is taken back is none`() {
        var stream = AnswerStream()
        stream.event(hasData: true, id: "1", retry: nil)
        stream.event(hasData: true, id: "", retry: nil)
        #expect(stream.ended(isClean: true, isListening: false) == .lost)
    }
}

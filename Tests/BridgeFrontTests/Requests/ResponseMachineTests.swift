import BridgeLink
import Testing

@testable import BridgeFront

@Suite("Response machine") struct ResponseMachineTests {
    /// The states, as a test can bring them about.
    enum State: CaseIterable, Sendable { case waiting, plain, streaming, ended }

    private static func machine(
        _ state: State, _ rules: ResponseMachine.Rules = .init(outlivesClient: true)
    ) -> ResponseMachine {
        var machine = ResponseMachine(rules)
        switch state {
        case .waiting: break
        case .plain: _ = machine.ended()
        case .streaming: _ = machine.message()
        case .ended: _ = machine.clientGone()
        }
        return machine
    }

    private static let stream = ResponseMachine.Rules(outlivesClient: false, endsOnDrain: true)
    private static let acting = ResponseMachine.Rules(outlivesClient: true, mayBeRepeated: false)

    @Test(arguments: zip(State.allCases, [false, true, false, true]))
    func `it is over once it is answered, or needs no answer`(state: State, isOver: Bool) {
        let machine = Self.machine(state)
        #expect(machine.isOver == isOver)
    }

    @Test(arguments: zip(State.allCases, [.beginStream, .none, .event, .none] as [ResponseMachine.Message]))
    func `the first message that is not the last begins a stream`(state: State, expected: ResponseMachine.Message) {
        var machine = Self.machine(state)
        let done = machine.message()
        #expect(done == expected)
        let isOver = machine.isOver
        #expect(isOver == (expected == .none))
    }

    @Test(arguments: zip(State.allCases, [.answer, .none, .endStream, .none] as [ResponseMachine.End]))
    func `the last message answers, or ends the stream`(state: State, expected: ResponseMachine.End) {
        var machine = Self.machine(state)
        let done = machine.ended()
        #expect(done == expected)
        let again = machine.ended()
        #expect(again == .none)
    }

    @Test(arguments: zip(State.allCases, [.askAgain, .none, .endStream, .none] as [ResponseMachine.Failure]))
    func `a lost link is asked again, or ends the stream`(state: State, expected: ResponseMachine.Failure) {
        var machine = Self.machine(state)
        let done = machine.failed(.linkLost(sent: true))
        #expect(done == expected)
    }

    @Test(arguments: zip(State.allCases, [.askAgain, .none, .askAgain, .none] as [ResponseMachine.Failure]))
    func `a stream that outlives its worker is asked for again, as often as the link is lost`(
        state: State, expected: ResponseMachine.Failure
    ) {
        var machine = Self.machine(state, .init(outlivesWorker: true))
        let done = machine.failed(.linkLost(sent: true))
        #expect(done == expected)
        _ = machine.message()
        let again = machine.failed(.linkLost(sent: true))
        #expect(again == expected)
        let cancelled = machine.failed(.cancelled(reason: "x"))
        #expect(cancelled == (expected == .none ? .none : .endStream))
        let isOver = machine.isOver
        #expect(isOver)
    }

    @Test(arguments: zip(State.allCases, [.letGo, .none, .letGo, .none] as [ResponseMachine.Gone]))
    func `who asked by POST may go, and what was asked for is done`(state: State, expected: ResponseMachine.Gone) {
        var machine = Self.machine(state)
        let done = machine.clientGone()
        #expect(done == expected)
        let again = machine.clientGone()
        #expect(again == .none)
        let late = machine.ended()
        #expect(late == .none)
    }

    @Test(arguments: zip(State.allCases, [.cancel, .none, .cancel, .none] as [ResponseMachine.Gone]))
    func `anything else is cancelled with its client`(state: State, expected: ResponseMachine.Gone) {
        var machine = Self.machine(state, Self.stream)
        let done = machine.clientGone()
        #expect(done == expected)
    }

    @Test(arguments: zip(State.allCases, [.beginAndEndStream, .none, .endStream, .none] as [ResponseMachine.Drain]))
    func `a stream that would not end by itself ends when the service stops`(
        state: State, expected: ResponseMachine.Drain
    ) {
        var machine = Self.machine(state, Self.stream)
        let done = machine.drained()
        #expect(done == expected)
        let isOver = machine.isOver
        #expect(isOver)
    }

    @Test(arguments: State.allCases)
    func `a call is finished when the service stops`(state: State) {
        var machine = Self.machine(state)
        let done = machine.drained()
        #expect(done == .none)
    }

    @Test(arguments: zip(State.allCases, [.refuse(.unavailable), .none, .none, .none] as [ResponseMachine.Failure]))
    func `only who still waits misses the worker`(state: State, expected: ResponseMachine.Failure) {
        var machine = Self.machine(state)
        let done = machine.noWorker()
        #expect(done == expected)
    }

    @Test(arguments: zip(State.allCases, [true, false, false, false]))
    func `a refusal is written where nothing has been`(state: State, isWritten: Bool) {
        var machine = Self.machine(state)
        let done = machine.refused()
        #expect(done == isWritten)
        let again = machine.refused()
        #expect(!again)
    }

    @Test(arguments: zip(State.allCases, [false, false, true, false]))
    func `only a stream says that it is alive, and counts what was read`(state: State, does: Bool) {
        let machine = Self.machine(state)
        #expect(machine.wantsKeepAlive == does)
        #expect(machine.acknowledges == does)
    }

    // MARK: Asking again

    @Test func `what only reads is asked again once`() {
        var machine = ResponseMachine()
        let first = machine.failed(.linkLost(sent: true))
        #expect(first == .askAgain)
        let second = machine.failed(.linkLost(sent: false))
        #expect(second == .refuse(.outcomeUnknown))
    }

    @Test func `what may act is asked again only when nothing of it had left`() {
        var sent = ResponseMachine(Self.acting)
        let unknown = sent.failed(.linkLost(sent: true))
        #expect(unknown == .refuse(.outcomeUnknown))
        var unsent = ResponseMachine(Self.acting)
        let again = unsent.failed(.linkLost(sent: false))
        #expect(again == .askAgain)
        let refused = unsent.failed(.linkLost(sent: false))
        #expect(refused == .refuse(.unavailable))
    }

    @Test(arguments: zip(State.allCases, [.askAgain, .none, .endStream, .none] as [ResponseMachine.Failure]))
    func `where the worker does not know who asks it is asked again`(
        state: State, expected: ResponseMachine.Failure
    ) {
        var machine = Self.machine(state, Self.acting)
        let done = machine.unknownBinding()
        #expect(done == expected)
    }

    @Test func `that is so once, and changes nothing of what else may be asked again`() {
        var machine = Self.machine(.waiting, Self.acting)
        _ = machine.unknownBinding()
        let again = machine.unknownBinding()
        #expect(again == .refuse(.cancelled))
        var lost = Self.machine(.waiting, Self.acting)
        _ = lost.unknownBinding()
        let unsent = lost.failed(.linkLost(sent: false))
        #expect(unsent == .askAgain)
        let sent = lost.failed(.linkLost(sent: true))
        #expect(sent == .refuse(.outcomeUnknown))
    }

    @Test func `once a worker may have had it nobody is told that it did not run`() {
        for failure in [ExchangeFailure.overloaded, .cancelled(reason: ExchangeFailure.noMemory)] {
            var machine = ResponseMachine()
            _ = machine.failed(.linkLost(sent: true))
            let done = machine.failed(failure)
            #expect(done == .refuse(.outcomeUnknown))
        }
        var machine = ResponseMachine()
        _ = machine.failed(.linkLost(sent: true))
        let done = machine.noWorker()
        #expect(done == .refuse(.outcomeUnknown))
    }

    @Test(
        arguments: [
            (.overloaded, .overloaded), (.cancelled(reason: ExchangeFailure.tooMany), .overloaded),
            (.cancelled(reason: ExchangeFailure.noMemory), .noMemory), (.cancelled(reason: "?"), .cancelled),
        ] as [(ExchangeFailure, ResponseMachine.Reason)])
    func `each failure has its refusal`(failure: ExchangeFailure, reason: ResponseMachine.Reason) {
        var machine = ResponseMachine()
        let done = machine.failed(failure)
        #expect(done == .refuse(reason))
        let isOver = machine.isOver
        #expect(isOver)
    }
}

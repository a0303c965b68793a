import BridgeLink
import Testing

@testable import BridgeFront

@Suite("A request to a model") struct ChatMachineTests {
    @Test func `there is one answer, with a head of its own or in the stream that has begun`() {
        var plain = ChatMachine()
        #expect(plain.finish() == .whole)
        #expect(plain.finish() == .nothing)
        #expect(plain.isOver == true)
        var streamed = ChatMachine()
        #expect(streamed.beginsStream() == true)
        #expect(streamed.beginsStream() == false)
        #expect(streamed.isStreaming == true)
        #expect(streamed.finish() == .inStream)
        #expect(streamed.beginsStream() == false)
    }

    @Test func `what nobody has been asked is asked once more when the link is lost, and not a third time`() {
        var machine = ChatMachine()
        #expect(machine.failed(.linkLost(sent: true)) == .askAgain)
        #expect(machine.failed(.linkLost(sent: false)) == .unavailable)
        #expect(machine.wasAsked == false)
    }

    @Test func `what a source has been asked is never asked again`() {
        var machine = ChatMachine()
        machine.asked()
        #expect(machine.failed(.linkLost(sent: true)) == .sourceLost)
        #expect(machine.wasAsked == true)
    }

    @Test func `an answer is mended once, and that round may be repeated until it has been asked`() {
        var machine = ChatMachine()
        machine.asked()
        #expect(machine.repairs() == true)
        #expect(machine.failed(.linkLost(sent: true)) == .askAgain)
        machine.asked()
        #expect(machine.repairs() == false)
        #expect(machine.failed(.linkLost(sent: true)) == .sourceLost)
    }

    @Test func `a peer that refuses says why`() {
        var machine = ChatMachine()
        #expect(machine.failed(.overloaded) == .overloaded)
        #expect(machine.failed(.cancelled(reason: ExchangeFailure.tooMany)) == .overloaded)
        #expect(machine.failed(.cancelled(reason: ExchangeFailure.noMemory)) == .noMemory)
        #expect(machine.failed(.cancelled(reason: ExchangeFailure.tooLarge)) == .tooLarge)
        #expect(machine.failed(.cancelled(reason: "?")) == .cancelled)
    }

    @Test func `nothing is said to a client that has gone`() {
        var machine = ChatMachine()
        #expect(machine.clientGone() == true)
        #expect(machine.clientGone() == false)
        #expect(machine.finish() == .nothing)
        #expect(machine.beginsStream() == false)
        #expect(machine.repairs() == false)
        #expect(machine.failed(.linkLost(sent: false)) == .nothing)
    }
}

import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Connection clock") struct ConnectionClockTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private static let limits = ConnectionClock.Limits(
        FrontLimits(headerTimeout: 10, bodyTimeout: 30, idleTimeout: 75, slowReadTimeout: 60, linger: 0.5)
    )

    private static func at(_ seconds: Double) -> NIODeadline { start + .nanoseconds(Int64(seconds * 1_000_000_000)) }

    private static func clock() -> ConnectionClock { ConnectionClock(limits: limits, now: start) }

    @Test func `a connection that never asks is closed after the header time`() {
        let clock = Self.clock()
        #expect(clock.deadline == Self.at(10))
        #expect(clock.expired(Self.at(9.9)) == .none)
        #expect(clock.expired(Self.at(10)) == .closeQuietly)
    }

    @Test func `a head that does not end is refused, counted from its first byte`() {
        var clock = Self.clock()
        clock.bytesArrived(Self.at(5))
        clock.bytesArrived(Self.at(14))
        #expect(clock.deadline == Self.at(15))
        #expect(clock.expired(Self.at(15)) == .requestTimeout)
        #expect(clock.fault == .nextRequest)
    }

    @Test func `a body earns a second with every 16 KiB`() {
        var clock = Self.clock()
        clock.headArrived(Self.at(0))
        #expect(clock.deadline == Self.at(30))
        clock.bodyArrived(40 << 10)
        #expect(clock.deadline == Self.at(32))
        #expect(clock.expired(Self.at(32)) == .requestTimeout)
        #expect(clock.fault == .currentBody)
    }

    @Test func `a request that is complete may take any time to be answered`() {
        var clock = Self.clock()
        clock.headArrived(Self.at(0))
        clock.requestEnded(Self.at(1))
        #expect(clock.deadline == nil)
        #expect(clock.expired(Self.at(10_000)) == .none)
        clock.responseEnded(Self.at(300))
        #expect(clock.deadline == Self.at(375))
        #expect(clock.expired(Self.at(375)) == .closeQuietly)
    }

    @Test func `what was pipelined has its own time once its turn has come`() {
        var clock = Self.clock()
        clock.headArrived(Self.at(0))
        clock.requestEnded(Self.at(0))
        clock.bytesArrived(Self.at(1))
        #expect(clock.deadline == nil)
        clock.responseEnded(Self.at(100))
        #expect(clock.deadline == Self.at(110))
    }

    @Test func `a body that comes after its answer still has to come`() {
        var clock = Self.clock()
        clock.headArrived(Self.at(0))
        clock.responseEnded(Self.at(1))
        #expect(clock.fault == .answeredBody)
        #expect(clock.deadline == Self.at(31))
        clock.requestEnded(Self.at(2))
        #expect(clock.deadline == Self.at(77))
    }

    @Test func `a reader is slow only while nothing leaves`() {
        var clock = Self.clock()
        clock.headArrived(Self.at(0))
        clock.requestEnded(Self.at(0))
        clock.writabilityChanged(false, Self.at(1))
        #expect(clock.deadline == Self.at(61))
        #expect(clock.expired(Self.at(61)) == .checkWriter)
        clock.writerMoved(Self.at(61))
        #expect(clock.deadline == Self.at(121))
        clock.writabilityChanged(true, Self.at(100))
        #expect(clock.deadline == nil)
    }

    @Test func `a connection is idle once its answer has been read, and from then on`() {
        var clock = Self.clock()
        clock.headArrived(Self.at(0))
        clock.requestEnded(Self.at(0))
        clock.writabilityChanged(false, Self.at(1))
        clock.responseEnded(Self.at(1))
        #expect(!clock.isIdle)
        clock.writerMoved(Self.at(50))
        #expect(clock.deadline == Self.at(110))
        clock.drain(Self.at(60))
        #expect(clock.deadline == Self.at(110))
        clock.writabilityChanged(true, Self.at(100))
        #expect(clock.isIdle)
        #expect(clock.deadline == Self.at(100.5))
    }

    @Test func `draining gives an idle connection half a second and a busy one its time`() {
        var idle = Self.clock()
        idle.drain(Self.at(5))
        #expect(idle.deadline == Self.at(5.5))
        var busy = Self.clock()
        busy.headArrived(Self.at(0))
        busy.requestEnded(Self.at(0))
        busy.drain(Self.at(5))
        #expect(busy.deadline == nil)
    }

    @Test func `once our side is closed only the linger counts`() {
        var clock = Self.clock()
        clock.headArrived(Self.at(0))
        clock.outputClosed(Self.at(2))
        #expect(clock.deadline == Self.at(2.5))
        #expect(clock.expired(Self.at(2.5)) == .closeNow)
    }
}

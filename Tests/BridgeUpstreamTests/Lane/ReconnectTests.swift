import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeUpstream

/// How soon a connection is made again that could not be made, or was lost.
@Suite("Reconnecting") struct ReconnectTests {
    private static let t0 = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    /// A server, and the machine that keeps it: each start takes no time.
    private final class Patient {
        var machine = UpstreamLifecycle(policy: ReconnectPolicy())
        var now = ReconnectTests.t0
        private(set) var starts: [NIODeadline] = []

        init() {
            _ = self.machine.start()
            self.starts.append(self.now)
        }

        /// It is listed, lives for so long, and dies. Its successor is there when this returns.
        ///
        /// - Returns: how long that took.
        func live(
            _ life: TimeAmount, listed: Bool = true, draw: Double = 0.999_999_999, callsWait: Bool = false
        ) -> TimeAmount {
            _ = self.machine.initialized()
            if listed { self.machine.listed(now: self.now) }
            self.now = self.now + life
            let died = self.now
            _ = self.machine.lost(callsWait: callsWait, now: died, random: draw)
            if case .wait(let until) = self.machine.ended(now: died) {
                let early = self.machine.delayOver(now: until - .nanoseconds(1))
                #expect(early == .none)
                self.now = until
                let over = self.machine.delayOver(now: until)
                #expect(over == .connect)
            }
            #expect(self.machine.phase == .connecting)
            self.starts.append(self.now)
            return self.now - died
        }

        func starts(within time: TimeAmount) -> Int { self.starts.filter { $0 < ReconnectTests.t0 + time }.count }
    }

    private static func isAbout(_ delay: TimeAmount, _ seconds: Int64) -> Bool {
        delay > .milliseconds(seconds * 999) && delay <= .seconds(seconds)
    }

    /// How a life may end: never listed, or listed and dead before ten seconds.
    @Test(arguments: [(false, 0), (true, 0), (true, 200), (true, 9_999)] as [(Bool, Int64)])
    func `what fails or dies soon waits longer and longer`(listed: Bool, milliseconds: Int64) {
        let server = Patient()
        for (failure, seconds) in [1, 2, 4, 8, 16, 32, 60, 60].enumerated() {
            let delay = server.live(.milliseconds(milliseconds), listed: listed)
            #expect(Self.isAbout(delay, Int64(seconds)), "\(delay)")
            #expect(server.machine.attempts == failure + 1)
        }
    }

    @Test(arguments: [0, 0.25, 0.5, 0.75, 0.9, 0.999_999_999])
    func `a server that dies 0.2 s after each listing is started at most nine times in two minutes`(draw: Double) {
        let server = Patient()
        while server.now < Self.t0 + .minutes(3) { _ = server.live(.milliseconds(200), draw: draw) }
        #expect(server.starts(within: .minutes(2)) <= 9)
        #expect(server.starts(within: .seconds(30)) <= 6)
        #expect(server.starts(within: .minutes(2)) >= 6, "it is not given up either")
    }

    @Test func `no draws let it start more often`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<1_000 {
            let server = Patient()
            while server.now < Self.t0 + .minutes(2) {
                _ = server.live(.milliseconds(200), draw: .random(in: 0..<1, using: &generator))
            }
            #expect(server.starts(within: .minutes(2)) <= 9)
        }
    }

    @Test func `ten good seconds forgive, to be listed does not`() {
        let server = Patient()
        for seconds in [1, 2, 4] { #expect(Self.isAbout(server.live(.zero, listed: false), Int64(seconds))) }
        #expect(Self.isAbout(server.live(.seconds(9)), 8))
        #expect(server.live(.seconds(10)) == .zero, "proven, and not made again at once before")
        #expect(server.machine.attempts == 0)
        #expect(Self.isAbout(server.live(.zero, listed: false), 1))
    }

    @Test func `a proven connection is made again at once, the next within a minute is not`() {
        let server = Patient()
        #expect(server.live(.seconds(10)) == .zero)
        #expect(Self.isAbout(server.live(.seconds(20)), 1))
        #expect(Self.isAbout(server.live(.seconds(20)), 1), "each had proved itself")
        #expect(server.live(.seconds(20)) == .zero)
    }

    @Test
    func `calls that wait get their attempt at once where the connection had proved itself, else after the floor`() {
        let server = Patient()
        for _ in 0..<5 { #expect(server.live(.seconds(10), callsWait: true) == .zero) }
        for _ in 0..<5 { #expect(server.live(.seconds(1), callsWait: true) == UpstreamLifecycle.floor) }
        #expect(Self.isAbout(server.live(.seconds(1)), 32), "they counted all the same")
    }

    @Test func `while it is ready nothing has failed, as far as is told`() {
        let server = Patient()
        _ = server.live(.zero, listed: false)
        _ = server.machine.initialized()
        #expect(server.machine.attempts == 1)
        server.machine.listed(now: server.now)
        #expect(server.machine.attempts == 0)
    }

    @Test func `a configuration that starts something else begins anew, another does not`() {
        let server = Patient()
        for _ in 0..<4 { _ = server.live(.zero) }
        var policy = ReconnectPolicy()
        policy.base = 2
        _ = server.machine.reconfigured(policy: policy, reconnect: false)
        #expect(server.machine.attempts == 4)
        #expect(Self.isAbout(server.live(.zero), 32))
        _ = server.machine.reconfigured(policy: policy, reconnect: true)
        _ = server.machine.ended(now: server.now)
        #expect(Self.isAbout(server.live(.zero), 2))
    }
}

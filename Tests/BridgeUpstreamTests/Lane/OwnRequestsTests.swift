import BridgeMCP
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Own requests") struct OwnRequestsTests {
    private let t0 = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    @Test func `each is taken once, by its answer or by its time`() {
        var requests = OwnRequests()
        requests.add(1, .initialize, deadline: self.t0 + .seconds(1))
        requests.add(2, .list(.tools), deadline: self.t0 + .seconds(2))
        #expect(requests.nextDeadline == self.t0 + .seconds(1))
        #expect(requests.take(1) == .initialize)
        #expect(requests.take(1) == nil)
        #expect(requests.expire(now: self.t0 + .seconds(1)).isEmpty)
        #expect(requests.expire(now: self.t0 + .seconds(2)).map(\.purpose) == [.list(.tools)])
        #expect(requests.nextDeadline == nil)
    }

    @Test func `all of a kind can be given up, and no other is`() {
        var requests = OwnRequests()
        requests.add(3, .ping, deadline: self.t0)
        requests.add(1, .ping, deadline: self.t0)
        requests.add(2, .list(.tools), deadline: self.t0 + .seconds(2))
        #expect(requests.takeAll(.ping) == [1, 3])
        #expect(requests.takeAll(.ping) == [])
        #expect(requests.nextDeadline == self.t0 + .seconds(2))
    }
}

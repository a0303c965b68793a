import NIOHTTP1
import Testing

@testable import BridgeFront

@Suite("Incoming requests") struct IncomingRequestsTests {
    private static let head = HTTPServerRequestPart.head(
        HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: [:]))
    private static let end = HTTPServerRequestPart.end(nil)

    private static func underWay(isComplete: Bool = false, isAnswered: Bool = false) -> IncomingRequests {
        let requests = IncomingRequests()
        requests.isComplete = isComplete
        requests.isAnswered = isAnswered
        return requests
    }

    @Test func `a head is taken between requests, when answers are read`() {
        let between = IncomingRequests()
        #expect(between.isBetween)
        #expect(between.canTake(Self.head, isWritable: true))
        #expect(!between.canTake(Self.head, isWritable: false))
    }

    @Test(arguments: [(false, false), (true, false), (false, true)])
    func `a head waits until the request before it is whole and answered`(isComplete: Bool, isAnswered: Bool) {
        let requests = Self.underWay(isComplete: isComplete, isAnswered: isAnswered)
        #expect(!requests.canTake(Self.head, isWritable: true))
        #expect(requests.canTake(Self.end, isWritable: false))
    }

    @Test func `a body waits while there is no room for it, and nothing more is read`() {
        let requests = Self.underWay()
        requests.isHeld = true
        #expect(!requests.canTake(Self.end, isWritable: true))
        #expect(requests.isHeldBack)
        requests.wait(for: .part(Self.end))
        #expect(requests.next(isWritable: true) == nil)
        requests.isHeld = false
        #expect(requests.isHeldBack)
        #expect(requests.next(isWritable: true) != nil)
        #expect(!requests.isHeldBack)
    }

    @Test func `what waits comes in order, a fault last`() {
        let requests = Self.underWay(isComplete: true)
        requests.wait(for: .part(Self.head))
        requests.wait(for: .fault(.malformedHTTP))
        #expect(requests.next(isWritable: true) == nil)
        requests.isAnswered = true
        guard case .part(.head) = requests.next(isWritable: true) else {
            Issue.record("the head does not come first")
            return
        }
        requests.isAnswered = false
        #expect(requests.next(isWritable: true) == nil)
        requests.isAnswered = true
        guard case .fault = requests.next(isWritable: false) else {
            Issue.record("the fault does not come")
            return
        }
        #expect(requests.isBetween)
    }
}

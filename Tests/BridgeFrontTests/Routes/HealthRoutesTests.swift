import BridgeCore
import Testing

@testable import BridgeFront

@Suite("Readiness") struct HealthRoutesTests {
    @Test func `a service that is well gives no reasons`() {
        #expect(
            HealthRoutes.reasons(in: JSONText(literal: #"{"ok":true,"upstreams":[{"name":"a","connected":false}]}"#))
                == [])
    }

    @Test func `an upstream without connection and tools is a reason`() {
        let health = JSONText(
            literal:
                #"{"ok":false,"upstreams":[{"name":"a","connected":false,"toolCount":0,"lastError":"no such file"},{"name":"b","connected":true},{"name":"c","connected":false,"toolCount":3}]}"#
        )
        let reasons = HealthRoutes.reasons(in: health)
        #expect(reasons.count == 1)
        #expect(reasons.first?.string("upstream") == "a")
        #expect(reasons.first?.string("message") == "no such file")
    }

    @Test func `there is always a reason`() {
        #expect(HealthRoutes.reasons(in: .emptyObject).count == 1)
    }
}

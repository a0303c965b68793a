import Testing

@testable import BridgeFront

@Suite("Request ids") struct RequestIDTests {
    @Test func `an id is spelled as a version 4 UUID`() {
        #expect(RequestID(0, 0).description == "00000000-0000-4000-8000-000000000000")
        #expect(RequestID(.max, .max).description == "ffffffff-ffff-4fff-bfff-ffffffffffff")
        #expect(
            RequestID(0x0123_4567_89ab_cdef, 0x0123_4567_89ab_cdef).description
                == "01234567-89ab-4def-8123-456789abcdef")
    }

    @Test func `ids differ`() {
        var ids = RequestIDs()
        #expect(Set((0..<1_000).map { _ in ids.next().description }).count == 1_000)
    }
}

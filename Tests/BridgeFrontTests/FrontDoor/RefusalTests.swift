import BridgeCore
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Refusals") struct RefusalTests {
    @Test func `each dialect has the same word at its own place`() throws {
        let refusal = Refusal.contentTooLarge(limit: 10)
        let plain = try JSONText(validating: refusal.body(.plain))
        #expect(plain.value("error")?.string("code") == "payload_too_large")
        let management = try JSONText(validating: refusal.body(.management))
        #expect(management.string("code") == "payload_too_large")
        #expect(management.string("error") == refusal.message)
        let rpc = try JSONText(validating: refusal.body(.rpc(id: ByteBuffer(string: "7"))))
        #expect(rpc.int("id") == 7)
        #expect(rpc.value("error")?.value("data")?.string("code") == "payload_too_large")
    }

    @Test func `an unsupported revision is told what is supported`() throws {
        let refusal = try #require(TransportRules.checkVersion("2026-07-28"))
        let data = try JSONText(validating: refusal.body(.rpc(id: nil))).value("error")?.value("data")
        #expect(data?.string("code") == "unsupported_protocol_version")
        #expect(data?.string("requested") == "2026-07-28")
        #expect(
            data?.value("supported")?.bytes
                == ByteBuffer(string: #"["2024-11-05","2025-03-26","2025-06-18","2025-11-25"]"#))
    }
}

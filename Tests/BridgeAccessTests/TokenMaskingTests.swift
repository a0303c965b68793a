import BridgeAccess
import Testing

@Suite("Secrets in the words of others") struct TokenMaskingTests {
    @Test func `no token of ours can be read in a text`() {
        let secret = TokenSecret.random().text
        #expect(
            TokenSecret.masked(in: "my key is \(secret), mcpb_x and \(secret)")
                == "my key is mcpb_***, mcpb_*** and mcpb_***")
        #expect(TokenSecret.masked(in: "nothing") == "nothing")
    }
}

import NIOCore
import Testing

@testable import mcp_bridge

@Suite("Settings of the stdio front") struct StdioSettingsTests {
    private static func name(_ url: String) -> String {
        StdioSettings(place: .url(url), names: nil, silence: .seconds(60), isSilenceOfCalls: false).name
    }

    @Test func `an address is named as it is written`() {
        #expect(Self.name("http://127.0.0.1:8769/mcp") == "http://127.0.0.1:8769/mcp")
        #expect(Self.name("https://bridge.example/apps/mcp") == "https://bridge.example/apps/mcp")
    }

    @Test(arguments: [
        "https://ada:s3cret@bridge.example/mcp", "https://bridge.example/mcp?key=s3cret",
        "https://bridge.example/mcp#s3cret", "http://ada:s3cret@/mcp",
    ]) func `nobody is told what an address holds in confidence`(url: String) {
        #expect(!Self.name(url).contains("s3cret"))
    }
}

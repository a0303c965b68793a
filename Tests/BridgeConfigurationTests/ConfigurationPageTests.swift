import BridgeConfiguration
import BridgeCore
import FoundationEssentials
import Testing

/// Holds docs/configuration.md to the tables that the configuration is read by. One that differs is printed whole, to be put
/// in place of the page's.
@Suite("Configuration page") struct ConfigurationPageTests {
    private static let page = URL(filePath: #filePath)
        .deletingLastPathComponent()  // BridgeConfigurationTests
        .deletingLastPathComponent()  // Tests
        .deletingLastPathComponent()
        .appending(path: "docs/configuration.md")

    /// The page's table that begins with the same line as `table`; nil when there is none.
    private static func written(like table: String) throws -> String? {
        let lines = try String(contentsOf: Self.page, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        let header = table.split(separator: "\n").first
        guard let start = lines.firstIndex(where: { $0 == header }) else { return nil }
        return lines[start...].prefix { $0.hasPrefix("|") }.map { $0 + "\n" }.joined()
    }

    @Test func `the settings on the page are those that are read`() throws {
        let written = try Self.written(like: SettingTable.markdown)
        #expect(written == SettingTable.markdown, "The page's table must be:\n\(SettingTable.markdown)")
    }

    @Test func `the keys of oauth on the page are those that are read`() throws {
        let written = try Self.written(like: OAuthKeyTable.markdown)
        #expect(written == OAuthKeyTable.markdown, "The page's table must be:\n\(OAuthKeyTable.markdown)")
    }

    @Test func `the keys of a server on the page are those that are read`() throws {
        let written = try Self.written(like: ServerKeyTable.markdown)
        #expect(written == ServerKeyTable.markdown, "The page's table must be:\n\(ServerKeyTable.markdown)")
    }
}

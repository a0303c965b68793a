import BridgeLog
import Glibc
import Logging
import Synchronization
import Testing

@Suite("Log system", .timeLimit(.minutes(1)))
struct LogSystemTests {
    private let collected = Collected()
    private let system: LogSystem

    init() throws {
        self.system = LogSystem(
            pump: try LogPump(sinks: [CollectingSink(self.collected)]), level: .info, worker: "http")
    }

    private func logger() -> Logger {
        Logger(label: "mcp-bridge.test") { label in self.system.handler(label: label) }
    }

    @Test func `a statement arrives with its place, its logger and the worker`() throws {
        var logger = self.logger()
        logger[metadataKey: "mcp.upstream"] = "github"
        logger.notice("Upstream connected", metadata: ["toolCount": "3"])
        #expect(self.system.stop())
        let entry = try #require(self.collected.entries.first)
        #expect(entry.message == "Upstream connected" && entry.level == .notice && entry.label == "mcp-bridge.test")
        #expect(entry.metadata.map(\.key) == ["mcp.upstream", "mcp.worker", "toolCount"])
        #expect(entry["mcp.worker"] == "http")
        #expect(entry.file == "BridgeLogTests/LogSystemTests.swift" && entry.line > 0)
        #expect(entry.function.hasPrefix("a statement") || entry.function.contains("arrives"))
    }

    @Test func `changing the level reaches loggers that exist, but not one with a level of its own`() {
        let logger = self.logger()
        var own = self.logger()
        own.logLevel = .error
        logger.debug("1")
        self.system.level = .debug
        #expect(logger.logLevel == .debug && self.system.level == .debug)
        logger.debug("2")
        own.debug("3")
        self.system.level = .critical
        logger.error("4")
        own.error("5")
        #expect(self.system.stop())
        #expect(self.collected.messages == ["2", "5"])
    }

    @Test func `below the level nothing of a statement is evaluated`() {
        let evaluated = Mutex(0)
        func expensive() -> Logger.Metadata {
            evaluated.withLock { $0 += 1 }
            return [:]
        }
        self.logger().debug("\(expensive())", metadata: expensive())
        #expect(evaluated.withLock { $0 } == 0)
        #expect(self.system.stop())
    }

    @Test func `the provider speaks in the caller's context`() {
        let provider = Logger.MetadataProvider { Context.id.map { ["mcp.request_id": "\($0)"] } ?? [:] }
        let logger = Logger(label: "x") { label in self.system.handler(label: label, metadataProvider: provider) }
        Context.$id.withValue("r1") { logger.info("in") }
        logger.info("out")
        #expect(self.system.stop())
        #expect(self.collected.entries.map { $0["mcp.request_id"] } == ["r1", nil])
    }

    @Test func `bootstrap sends swift-log to the file that the environment names`() async {
        await #expect(processExitsWith: .exitCode(42)) {
            exit(try Self.bootstrapsIntoFile() ? 42 : 1)
        }
    }

    private static func bootstrapsIntoFile() throws -> Bool {
        let folder = try TemporaryFolder()
        let environment = ["MCP_BRIDGE_LOG_PATH": folder.file("log"), "MCP_BRIDGE_LOG_LEVEL": "loud"]
        let system = try LogBootstrap.start(environment: environment, worker: "session")
        Logger(label: "mcp-bridge").info("mcp-bridge listening", metadata: ["port": .stringConvertible(8_769)])
        guard system.stop() else { return false }
        let lines = folder.read("log")?.split(separator: "\n") ?? []
        return lines.count == 2 && lines[0].contains(#""level":"warning","message":"MCP_BRIDGE_LOG_LEVEL"#)
            && lines[1].hasSuffix(#""message":"mcp-bridge listening","meta":{"mcp.worker":"session","port":8769}}"#)
    }
}

private enum Context {
    @TaskLocal static var id: String?
}

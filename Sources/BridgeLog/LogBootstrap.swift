import BridgeSystemd
import FoundationEssentials
import Glibc
package import Logging

/// Makes swift-log write where this process should.
package enum LogBootstrap {
    /// Starts the logging thread and bootstraps swift-log: to the journal when standard error is connected to it, else
    /// as text to standard error; and to the file of `MCP_BRIDGE_LOG_PATH` as well.
    ///
    /// swift-log traps when a process bootstraps it twice. Loggers made before do not go through it.
    ///
    /// - Parameters:
    ///   - worker: becomes `mcp.worker` of every record.
    ///   - level: wins over `MCP_BRIDGE_LOG_LEVEL`.
    package static func start(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        worker: String?,
        level: Logger.Level? = nil
    ) throws(LogError) -> LogSystem {
        let settings = LogSettings(
            environment: environment,
            level: level,
            isJournal: Journal.isStderrConnected(environment: environment),
            isTerminal: isatty(STDERR_FILENO) == 1
        )
        let pump = try LogPump(sinks: Self.sinks(settings))
        let system = LogSystem(pump: pump, level: settings.level, worker: worker)
        LoggingSystem.bootstrap(
            { label, provider in system.handler(label: label, metadataProvider: provider) },
            metadataProvider: nil
        )
        let logger = Logger(label: "mcp-bridge.log")
        for complaint in settings.complaints { logger.warning("\(complaint)") }
        return system
    }

    private static func sinks(_ settings: LogSettings) -> [any LogSink] {
        var sinks: [any LogSink] = []
        switch settings.console {
        case .journal: sinks.append(JournalSink())
        case .text(let colors): sinks.append(TextSink(descriptor: STDERR_FILENO, form: .people(colors)))
        case .gateway: sinks.append(TextSink(descriptor: STDERR_FILENO, form: .gateway))
        case .tokenBridge(let colors):
            sinks.append(TextSink(descriptor: STDERR_FILENO, form: .tokenBridge(colors)))
        }
        if let file = settings.file { sinks.append(JSONLinesSink(file: RotatingFile(file))) }
        return sinks
    }
}

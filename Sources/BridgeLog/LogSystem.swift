package import Logging

/// The logging of this process: its level, its thread, its loggers.
package final class LogSystem: Sendable {
    package let pump: LogPump
    private let sharedLevel: LogLevel
    private let metadata: Logger.Metadata

    /// - Parameter worker: becomes `mcp.worker` of every record.
    package init(pump: LogPump, level: Logger.Level, worker: String?) {
        self.pump = pump
        self.sharedLevel = LogLevel(level)
        self.metadata = worker.map { [LogKey.worker: .string($0)] } ?? [:]
    }

    /// The level of every logger that was not given its own, the existing ones included. A reload may change it.
    package var level: Logger.Level {
        get { self.sharedLevel.current }
        set { self.sharedLevel.current = newValue }
    }

    /// How many records were dropped since the start.
    package var droppedRecords: UInt64 { self.pump.droppedRecords }

    package func handler(label: String, metadataProvider: Logger.MetadataProvider? = nil) -> PumpLogHandler {
        PumpLogHandler(
            label: label,
            pump: self.pump,
            level: self.sharedLevel,
            metadata: self.metadata,
            metadataProvider: metadataProvider
        )
    }

    /// See ``LogPump/flush(timeout:)``. Blocks the calling thread.
    @discardableResult
    package func flush(timeout: Duration = .seconds(2)) -> Bool {
        self.pump.flush(timeout: timeout)
    }

    /// The last thing before the process ends: writes what is queued, takes nothing more. Blocks the calling thread.
    @discardableResult
    package func stop(timeout: Duration = .seconds(2)) -> Bool {
        self.pump.stop(timeout: timeout)
    }
}

import BridgeCore
package import Logging

/// What a `Logger` does with a statement: hands it to the pump.
package struct PumpLogHandler: LogHandler {
    package var metadata: Logger.Metadata
    package var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let pump: LogPump
    private let shared: LogLevel
    private var own: Logger.Level?

    package init(
        label: String,
        pump: LogPump,
        level: LogLevel,
        metadata: Logger.Metadata = [:],
        metadataProvider: Logger.MetadataProvider? = nil
    ) {
        self.label = label
        self.pump = pump
        self.shared = level
        self.metadata = metadata
        self.metadataProvider = metadataProvider
    }

    /// The shared level, until this logger is given its own.
    package var logLevel: Logger.Level {
        get { self.own ?? self.shared.current }
        set { self.own = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let provided = self.metadataProvider?.get() ?? [:]
        self.pump.append(
            LogRecord(time: .now(), label: self.label, event: event, base: self.metadata, provided: provided)
        )
    }
}

import BridgeCore
import BridgeLog
import Logging

/// 2026-07-28T09:05:03.007Z
let aMoment = UTCTime(seconds: 1_785_229_503, nanoseconds: 7_999_999)

func record(
    _ message: String,
    level: Logger.Level = .info,
    label: String = "mcp-bridge.test",
    metadata: Logger.Metadata? = nil,
    error: (any Error)? = nil,
    base: Logger.Metadata = [:],
    provided: Logger.Metadata = [:]
) -> LogRecord {
    let event = LogEvent(
        level: level,
        message: "\(message)",
        error: error,
        metadata: metadata,
        source: nil,
        file: "BridgeLogTests/Records.swift",
        function: "run()",
        line: 42
    )
    return LogRecord(time: aMoment, label: label, event: event, base: base, provided: provided)
}

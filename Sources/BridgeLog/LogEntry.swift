package import BridgeCore
package import Logging

/// A record as the sinks see it: its metadata in one list.
package struct LogEntry: Sendable {
    package let time: UTCTime
    package let level: Logger.Level
    package let label: String
    package let message: String
    /// Sorted by key, each key once: what the statement said before what its context and its logger say.
    package let metadata: [(key: String, value: Logger.Metadata.Value)]
    /// `Module/File.swift`.
    package let file: String
    package let function: String
    package let line: UInt

    package init(_ record: LogRecord) {
        var metadata = record.base
        if !record.provided.isEmpty { metadata.merge(record.provided) { _, new in new } }
        if let given = record.event.metadata, !given.isEmpty { metadata.merge(given) { _, new in new } }
        if let error = record.event.error {
            metadata[LogKey.errorMessage] = "\(error)"
            metadata[LogKey.errorType] = "\(String(reflecting: type(of: error)))"
        }
        self.time = record.time
        self.level = record.event.level
        self.label = record.label
        self.message = record.event.message.description
        self.metadata = metadata.sorted { $0.key < $1.key }
        self.file = record.event.file
        self.function = record.event.function
        self.line = record.event.line
    }

    /// The text of one metadata value.
    package subscript(key: String) -> String? {
        self.metadata.first { $0.key == key }?.value.description
    }
}

package import BridgeCore
package import Logging

/// What a log statement leaves in the queue: everything it was given, and nothing made of it yet.
///
/// Rendering is the logging thread's work; the caller only takes references.
package struct LogRecord: Sendable {
    package let time: UTCTime
    package let label: String
    package let event: LogEvent
    /// The logger's own metadata.
    package let base: Logger.Metadata
    /// What the metadata provider said in the caller's context.
    package let provided: Logger.Metadata

    package init(
        time: UTCTime,
        label: String,
        event: LogEvent,
        base: Logger.Metadata = [:],
        provided: Logger.Metadata = [:]
    ) {
        self.time = time
        self.label = label
        self.event = event
        self.base = base
        self.provided = provided
    }

    /// About how many bytes the record keeps alive, for the queue's limit. Cheap, and blind to nested metadata.
    var weight: Int {
        var weight = 256 + self.event.message.description.utf8.count
        for case .string(let text) in (self.event.metadata ?? [:]).values { weight += text.utf8.count }
        return weight
    }
}

import Logging
import Synchronization

/// What is logged, for a test to read: one text for each record.
final class KeptLog: Sendable {
    private let kept = Mutex<[String]>([])

    var records: [String] { self.kept.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: KeptLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
            let text = "\(event.level) \(event.message) [\(fields.joined(separator: ", "))]"
            self.log.kept.withLock { $0.append(text) }
        }
    }
}

import BridgeSystemd
import Logging

/// Writes every record to the journal as fields.
package struct JournalSink: LogSink {
    private var entry = JournalEntry()
    private var fieldNames: [String: String] = [:]
    private var fallback: TextSink

    /// - Parameter fallback: gets the records that the journal refuses.
    package init(fallback: TextSink = TextSink(descriptor: 2, form: .people(.off))) {
        self.fallback = fallback
    }

    package mutating func write(_ entry: LogEntry) {
        self.fill(entry)
        do {
            try Journal.send(self.entry)
        } catch {
            self.fallback.write(entry)
        }
    }

    package mutating func flush() {
        self.fallback.flush()
    }

    /// The fields of a record.
    package static func fields(of entry: LogEntry) -> [(name: String, value: String)] {
        var sink = JournalSink()
        sink.fill(entry)
        return sink.entry.fields
    }

    private mutating func fill(_ entry: LogEntry) {
        self.entry.removeAll()
        self.entry.append("MESSAGE", Self.message(of: entry))
        self.entry.append("PRIORITY", String(entry.level.syslogPriority))
        self.entry.append("SYSLOG_IDENTIFIER", "mcp-bridge")
        self.entry.append("MCP_LOGGER", entry.label)
        self.entry.append("CODE_FILE", entry.file)
        self.entry.append("CODE_LINE", String(entry.line))
        self.entry.append("CODE_FUNC", entry.function)
        for (key, value) in entry.metadata {
            self.entry.append(self.fieldName(of: key), value.description)
        }
    }

    /// A name is worked out once; a flood of different keys does not fill the memory.
    private mutating func fieldName(of key: String) -> String {
        if let name = self.fieldNames[key] { return name }
        let name = LogKey.journalField(of: key)
        if self.fieldNames.count >= 512 { self.fieldNames.removeAll() }
        self.fieldNames[key] = name
        return name
    }

    /// `MESSAGE` is all that `journalctl` and `systemctl status` show, so the text of the record is followed by what its
    /// metadata says about it. Ids stay in their fields.
    private static func message(of entry: LogEntry) -> [UInt8] {
        var message = Array(entry.message.utf8)
        LogText.write(entry.metadata.filter { !Self.onlyInFields.contains($0.key) }, to: &message)
        return message
    }

    private static let onlyInFields: Set = [LogKey.worker, LogKey.requestID, LogKey.session, LogKey.messageID]
}

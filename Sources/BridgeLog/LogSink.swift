/// Where records end. Used by the logging thread alone, which it may block.
package protocol LogSink {
    /// Takes one record, perhaps only into a buffer.
    mutating func write(_ entry: LogEntry)
    /// Sends on what ``write(_:)`` buffered. Called after every batch.
    mutating func flush()
}

extension LogSink {
    package mutating func flush() {}
}

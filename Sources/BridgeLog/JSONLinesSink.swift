import NIOCore

/// Writes records as JSON lines to a file that is rotated.
package struct JSONLinesSink: LogSink {
    private let file: RotatingFile
    private var line = ByteBuffer()

    package init(file: RotatingFile) {
        self.file = file
    }

    /// A line that cannot be written, on a full disk for example, is lost; the next is tried again.
    package mutating func write(_ entry: LogEntry) {
        if self.line.capacity > 65_536 { self.line = ByteBuffer() } else { self.line.clear() }
        JSONLine.write(entry, to: &self.line)
        try? self.file.append(self.line.readableBytesView)
    }
}

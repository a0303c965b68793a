import BridgeCore
import BridgeFiles
import Logging

/// Writes records as lines for people, one line each whatever is in them.
package struct TextSink: LogSink {
    package enum Form: Hashable, Sendable {
        /// `[time] LEVEL label: message key=value…`
        case people(TextColors)
        /// `LEVEL: mcp_gateway.part: message key=value…`, with the levels of Python: what mcp-proxy wrote,
        /// for whoever reads it by a program.
        case gateway
        /// `[time] LEVEL [request] message key=value…`, values whole: what MCPTokenBridge wrote.
        case tokenBridge(TextColors)
    }

    private let descriptor: Int32
    private let form: Form
    private var buffer: [UInt8] = []

    /// - Parameter descriptor: stays the caller's; usually standard error.
    package init(descriptor: Int32, form: Form) {
        self.descriptor = descriptor
        self.form = form
    }

    package mutating func write(_ entry: LogEntry) {
        Self.write(entry, self.form, to: &self.buffer)
        if self.buffer.count >= 32_768 { self.flush() }
    }

    /// What cannot be written is lost: there is nobody left to tell.
    package mutating func flush() {
        guard !self.buffer.isEmpty else { return }
        try? DescriptorIO.write(self.buffer, to: self.descriptor)
        self.buffer.removeAll(keepingCapacity: self.buffer.capacity <= 65_536)
    }

    /// The line of one record, its newline included.
    package static func line(_ entry: LogEntry, _ form: Form) -> String {
        var buffer: [UInt8] = []
        Self.write(entry, form, to: &buffer)
        return String(decoding: buffer, as: UTF8.self)
    }

    private static func write(_ entry: LogEntry, _ form: Form, to buffer: inout [UInt8]) {
        switch form {
        case .people(let colors): Self.write(entry, colors, to: &buffer)
        case .gateway: Self.writeGatewayLine(entry, to: &buffer)
        case .tokenBridge(let colors): Self.writeTokenBridgeLine(entry, colors, to: &buffer)
        }
    }

    private static func writeTokenBridgeLine(_ entry: LogEntry, _ colors: TextColors, to buffer: inout [UInt8]) {
        let color = colors == .on ? Self.color(ofDirection: entry[LogKey.direction]) : nil
        buffer.append(contentsOf: "[\(entry.time)] \(Self.pythonName(of: entry.level)) ".utf8)
        if let color { buffer.append(contentsOf: color.utf8) }
        if let request = entry[LogKey.requestID] {
            buffer.append(UInt8(ascii: "["))
            LogText.write(request, to: &buffer)
            buffer.append(contentsOf: "] ".utf8)
        }
        LogText.write(entry.message, to: &buffer)
        // Which of our processes it was, nobody had to know there; and words that end in a command can be copied.
        let metadata = entry.metadata.filter { $0.key != LogKey.requestID && $0.key != LogKey.worker }
        LogText.write(metadata, to: &buffer, isCut: false)
        if color != nil { buffer.append(contentsOf: Self.plain.utf8) }
        buffer.append(UInt8(ascii: "\n"))
    }

    private static func writeGatewayLine(_ entry: LogEntry, to buffer: inout [UInt8]) {
        buffer.append(contentsOf: Self.pythonName(of: entry.level).utf8)
        buffer.append(contentsOf: ": mcp_gateway.".utf8)
        // Ours are called mcp-bridge.part.
        LogText.write(String(entry.label.split(separator: ".", maxSplits: 1).last ?? ""), to: &buffer)
        buffer.append(contentsOf: ": ".utf8)
        LogText.write(entry.message, to: &buffer)
        LogText.write(entry.metadata, to: &buffer)
        buffer.append(UInt8(ascii: "\n"))
    }

    private static func pythonName(of level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "DEBUG"
        case .info, .notice: "INFO"
        case .warning: "WARNING"
        case .error: "ERROR"
        case .critical: "CRITICAL"
        }
    }

    private static func write(_ entry: LogEntry, _ colors: TextColors, to buffer: inout [UInt8]) {
        let direction = colors == .on ? Self.color(ofDirection: entry[LogKey.direction]) : nil
        let level = colors == .on && direction == nil ? Self.color(of: entry.level) : nil
        if let direction { buffer.append(contentsOf: direction.utf8) }
        buffer.append(UInt8(ascii: "["))
        buffer.append(contentsOf: entry.time.description.utf8)
        buffer.append(contentsOf: "] ".utf8)
        if let level { buffer.append(contentsOf: level.utf8) }
        buffer.append(contentsOf: entry.level.rawValue.uppercased().utf8)
        if level != nil { buffer.append(contentsOf: Self.plain.utf8) }
        buffer.append(UInt8(ascii: " "))
        LogText.write(entry.label, to: &buffer)
        buffer.append(contentsOf: ": ".utf8)
        LogText.write(entry.message, to: &buffer)
        LogText.write(entry.metadata, to: &buffer)
        if direction != nil { buffer.append(contentsOf: Self.plain.utf8) }
        buffer.append(UInt8(ascii: "\n"))
    }

    private static let plain = "\u{1B}[0m"

    /// Received in cyan, sent in magenta.
    private static func color(ofDirection direction: String?) -> String? {
        switch direction {
        case "RX": "\u{1B}[96m"
        case "TX": "\u{1B}[95m"
        default: nil
        }
    }

    private static func color(of level: Logger.Level) -> String? {
        switch level {
        case .trace, .debug: "\u{1B}[2m"
        case .info: nil
        case .notice: "\u{1B}[1m"
        case .warning: "\u{1B}[33m"
        case .error, .critical: "\u{1B}[31m"
        }
    }
}

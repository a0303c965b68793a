import BridgeCore
import Logging
package import NIOCore

/// Writes a record as one line of JSON, `{"ts":…,"level":…,"message":…,"meta":{…}}`; `meta` only with something in it.
package enum JSONLine {
    /// Appends the line and its newline. Whatever the strings hold, it is valid JSON in UTF-8.
    package static func write(_ entry: LogEntry, to buffer: inout ByteBuffer) {
        var writer = JSONWriter(buffer)
        // The writer has it alone, so that it is not copied.
        buffer = ByteBuffer()
        writer.object { line in
            line.member("ts", entry.time.description)
            line.member("level", entry.level.rawValue)
            line.member("message", entry.message)
            guard !entry.metadata.isEmpty else { return }
            line.memberObject("meta") { meta in
                for (key, value) in entry.metadata { meta.member(key, JSONMetadata(value)) }
            }
        }
        buffer = writer.buffer
        buffer.writeStaticString("\n")
    }
}

/// A metadata value as JSON. Numbers and truth values stay what they are.
private struct JSONMetadata: JSONWritable {
    private let value: Logger.Metadata.Value

    init(_ value: Logger.Metadata.Value) { self.value = value }

    func write(toJSON buffer: inout ByteBuffer) {
        switch self.value {
        case .string(let text): text.write(toJSON: &buffer)
        case .stringConvertible(let value): Self.write(value, to: &buffer)
        case .array(let values): values.map(JSONMetadata.init).write(toJSON: &buffer)
        case .dictionary(let members):
            JSONWriter.object { object in
                for (key, value) in members.sorted(by: { $0.key < $1.key }) { object.member(key, JSONMetadata(value)) }
            }.write(to: &buffer)
        }
    }

    private static func write(_ value: any CustomStringConvertible, to buffer: inout ByteBuffer) {
        switch value {
        case let number as any FixedWidthInteger: buffer.writeString(number.description)
        case let number as Double where number.isFinite: number.write(toJSON: &buffer)
        case let truth as Bool: truth.write(toJSON: &buffer)
        default: value.description.write(toJSON: &buffer)
        }
    }
}

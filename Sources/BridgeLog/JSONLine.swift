import Logging

/// Writes a record as one line of JSON, `{"ts":…,"level":…,"message":…,"meta":{…}}`; `meta` only with something in it.
package enum JSONLine {
    /// Appends the line and its newline. Whatever the strings hold, it is valid JSON in UTF-8.
    package static func write(_ entry: LogEntry, to buffer: inout [UInt8]) {
        buffer.append(contentsOf: #"{"ts":""#.utf8)
        entry.time.write(to: &buffer)
        buffer.append(contentsOf: #"","level":""#.utf8)
        buffer.append(contentsOf: entry.level.rawValue.utf8)
        buffer.append(contentsOf: #"","message":"#.utf8)
        Self.write(entry.message, to: &buffer)
        if !entry.metadata.isEmpty {
            buffer.append(contentsOf: #","meta":"#.utf8)
            Self.write(members: entry.metadata, to: &buffer)
        }
        buffer.append(contentsOf: "}\n".utf8)
    }

    private static func write(
        members: [(key: String, value: Logger.Metadata.Value)],
        to buffer: inout [UInt8]
    ) {
        buffer.append(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { buffer.append(UInt8(ascii: ",")) }
            Self.write(member.key, to: &buffer)
            buffer.append(UInt8(ascii: ":"))
            Self.write(member.value, to: &buffer)
        }
        buffer.append(UInt8(ascii: "}"))
    }

    private static func write(_ value: Logger.Metadata.Value, to buffer: inout [UInt8]) {
        switch value {
        case .string(let text): Self.write(text, to: &buffer)
        case .stringConvertible(let value): Self.write(convertible: value, to: &buffer)
        case .array(let values):
            buffer.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { buffer.append(UInt8(ascii: ",")) }
                Self.write(value, to: &buffer)
            }
            buffer.append(UInt8(ascii: "]"))
        case .dictionary(let members):
            Self.write(members: members.sorted { $0.key < $1.key }, to: &buffer)
        }
    }

    /// Numbers and truth values stay what they are.
    private static func write(convertible value: any CustomStringConvertible, to buffer: inout [UInt8]) {
        switch value {
        case let number as any FixedWidthInteger: buffer.append(contentsOf: number.description.utf8)
        case let number as Double where number.isFinite: buffer.append(contentsOf: number.description.utf8)
        case let truth as Bool: buffer.append(contentsOf: (truth ? "true" : "false").utf8)
        default: Self.write(value.description, to: &buffer)
        }
    }

    private static func write(_ text: String, to buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): buffer.append(contentsOf: #"\""#.utf8)
            case UInt8(ascii: "\\"): buffer.append(contentsOf: #"\\"#.utf8)
            case UInt8(ascii: "\n"): buffer.append(contentsOf: #"\n"#.utf8)
            case UInt8(ascii: "\r"): buffer.append(contentsOf: #"\r"#.utf8)
            case UInt8(ascii: "\t"): buffer.append(contentsOf: #"\t"#.utf8)
            case 0x00...0x1F:
                buffer.append(contentsOf: #"\u00"#.utf8)
                buffer.append(Self.hexadecimal[Int(byte >> 4)])
                buffer.append(Self.hexadecimal[Int(byte & 0xF)])
            default: buffer.append(byte)
            }
        }
        buffer.append(UInt8(ascii: "\""))
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
}

import BridgeCore
import NIOCore

/// A JSON value on its way to a person: members in a chosen order, indented.
indirect enum ConfigurationValue: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([ConfigurationValue])
    case object([(String, ConfigurationValue)])

    /// JSON, two spaces to a level, ended by a line break.
    var rendered: ByteBuffer {
        var buffer = ByteBuffer()
        self.render(to: &buffer, level: 0)
        buffer.writeString("\n")
        return buffer
    }

    private func render(to buffer: inout ByteBuffer, level: Int) {
        switch self {
        case .null: buffer.writeString("null")
        case .bool(let bool): bool.write(toJSON: &buffer)
        case .int(let int): int.write(toJSON: &buffer)
        case .double(let double):
            if let int = Int(exactly: double) { int.write(toJSON: &buffer) } else { double.write(toJSON: &buffer) }
        case .string(let string): buffer.writeJSONString(string)
        case .array(let elements) where elements.isEmpty: buffer.writeString("[]")
        case .object(let members) where members.isEmpty: buffer.writeString("{}")
        case .array(let elements):
            buffer.writeString("[")
            for (index, element) in elements.enumerated() {
                Self.breakLine(in: &buffer, level: level + 1, after: index > 0)
                element.render(to: &buffer, level: level + 1)
            }
            Self.breakLine(in: &buffer, level: level, after: false)
            buffer.writeString("]")
        case .object(let members):
            buffer.writeString("{")
            for (index, member) in members.enumerated() {
                Self.breakLine(in: &buffer, level: level + 1, after: index > 0)
                buffer.writeJSONString(member.0)
                buffer.writeString(": ")
                member.1.render(to: &buffer, level: level + 1)
            }
            Self.breakLine(in: &buffer, level: level, after: false)
            buffer.writeString("}")
        }
    }

    private static func breakLine(in buffer: inout ByteBuffer, level: Int, after comma: Bool) {
        buffer.writeString(comma ? ",\n" : "\n")
        buffer.writeString(String(repeating: "  ", count: level))
    }

    static func strings(_ strings: [String]) -> ConfigurationValue { .array(strings.map { .string($0) }) }
    static func optional(_ string: String?) -> ConfigurationValue { string.map { .string($0) } ?? .null }
}

import BridgeChat
import BridgeCore

/// Makes a value that a JSON schema allows: always the same one.
struct SchemaExample {
    /// In bytes, beside one text: what a schema writes once can be asked for any number of times.
    static let maximumBytes = 256 << 10
    private static let maximumMembers = 10_000

    private var references: SchemaReferences
    /// What strings are.
    private let text: JSONText
    /// Values that may still be made: a schema may refer to itself.
    private var left = 10_000
    /// Bytes that may still be looked at.
    private var work = 32 << 20
    /// Bytes that may still be written.
    private var room: Int

    static func value(by schema: JSONText, text: String) -> JSONText {
        var example = SchemaExample(schema, text: JSONText(text))
        return example.value(schema, depth: 0)
    }

    private init(_ root: JSONText, text: JSONText) {
        self.references = SchemaReferences(in: root)
        self.text = text
        self.room = Self.maximumBytes + text.count
    }

    private mutating func value(_ schema: JSONText, depth: Int) -> JSONText {
        self.left -= 1
        self.work -= 64 + schema.count
        guard self.left > 0, self.work > 0, depth < 32, schema.kind == .object else { return .null }
        if let fixed = schema.value("const") ?? schema.value("default") ?? Self.first(schema.value("enum")) {
            return self.take(fixed) ?? .null
        }
        if let reference = schema.string("$ref") {
            guard let target = self.references.target(of: reference, budget: &self.work) else { return .null }
            return self.value(target, depth: depth + 1)
        }
        let alternatives = schema.value("anyOf") ?? schema.value("oneOf") ?? schema.value("allOf")
        if let first = Self.first(alternatives) { return self.value(first, depth: depth + 1) }
        let type = schema.value("type")
        switch type?.string ?? Self.first(type)?.string ?? (schema.value("properties") == nil ? "string" : "object") {
        case "object": return self.object(schema, depth: depth)
        case "array": return self.array(schema, depth: depth)
        case "integer", "number": return self.number(schema)
        case "boolean": return .false
        case "null": return .null
        default: return self.take(self.text) ?? JSONText("")
        }
    }

    private mutating func number(_ schema: JSONText) -> JSONText {
        guard let minimum = schema.value("minimum"), minimum.kind == .number else { return JSONText(0) }
        return self.take(minimum) ?? JSONText(0)
    }

    private mutating func object(_ schema: JSONText, depth: Int) -> JSONText {
        var members: [(name: String, schema: JSONText)] = []
        let properties = schema.value("properties")
        properties?.members { key, span in
            if let properties, members.count < Self.maximumMembers { members.append((key.string, properties[span])) }
        }
        return JSONWriter.object { object in
            for member in members where self.left > 0 && self.room > 0 {
                self.room -= member.name.utf8.count
                object.member(member.name, self.value(member.schema, depth: depth + 1))
            }
        }
    }

    private mutating func array(_ schema: JSONText, depth: Int) -> JSONText {
        let count = min(max(schema.int("minItems") ?? 0, 0), 16)
        guard count > 0, let items = schema.value("items") else { return .emptyArray }
        return JSONWriter.array { list in
            for _ in 0..<count { list.element(self.value(items, depth: depth + 1)) }
        }
    }

    /// A value as it stands, while there is room for it.
    private mutating func take(_ value: JSONText) -> JSONText? {
        guard value.count <= self.room else { return nil }
        self.room -= value.count
        return value
    }

    private static func first(_ list: JSONText?) -> JSONText? {
        guard let list, list.kind == .array else { return nil }
        var first: JSONText?
        list.elements { span in if first == nil { first = list[span] } }
        return first
    }
}

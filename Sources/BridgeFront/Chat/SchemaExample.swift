import BridgeCore

/// Makes a value that a JSON schema allows: always the same one.
struct SchemaExample {
    private let root: JSONText
    /// What strings are.
    private let text: String
    /// Values that may still be made: a schema may refer to itself.
    private var left = 10_000

    static func value(by schema: JSONText, text: String) -> JSONText {
        var example = SchemaExample(root: schema, text: text)
        return example.value(schema, depth: 0)
    }

    private init(root: JSONText, text: String) {
        self.root = root
        self.text = text
    }

    private mutating func value(_ schema: JSONText, depth: Int) -> JSONText {
        self.left -= 1
        guard self.left > 0, depth < 32, schema.kind == .object else { return .null }
        if let fixed = schema.value("const") ?? schema.value("default") ?? Self.first(schema.value("enum")) {
            return fixed
        }
        if let reference = schema.string("$ref") {
            return self.target(of: reference).map { self.value($0, depth: depth + 1) } ?? .null
        }
        let alternatives = schema.value("anyOf") ?? schema.value("oneOf") ?? schema.value("allOf")
        if let first = Self.first(alternatives) { return self.value(first, depth: depth + 1) }
        let type = schema.value("type")
        switch type?.string ?? Self.first(type)?.string ?? (schema.value("properties") == nil ? "string" : "object") {
        case "object": return self.object(schema, depth: depth)
        case "array": return self.array(schema, depth: depth)
        case "integer", "number": return schema.value("minimum") ?? JSONText(0)
        case "boolean": return .false
        case "null": return .null
        default: return JSONText(self.text)
        }
    }

    private mutating func object(_ schema: JSONText, depth: Int) -> JSONText {
        var members: [(name: String, schema: JSONText)] = []
        let properties = schema.value("properties")
        properties?.members { key, span in
            if let properties { members.append((key.string, properties[span])) }
        }
        return JSONWriter.object { object in
            for member in members where self.left > 0 {
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

    private static func first(_ list: JSONText?) -> JSONText? {
        guard let list, list.kind == .array else { return nil }
        var first: JSONText?
        list.elements { span in if first == nil { first = list[span] } }
        return first
    }

    /// What `#/$defs/name` points to.
    private func target(of reference: String) -> JSONText? {
        guard reference.hasPrefix("#") else { return nil }
        var target = self.root
        for step in reference.dropFirst().split(separator: "/") {
            guard let name = PercentCoding.decode(String(step)), let span = target.member(named: name) else {
                return nil
            }
            target = target[span]
        }
        return target
    }
}

import BridgeCore

/// Checks a value by a JSON schema, as far as the schemas that model APIs take for strict answers go: types, properties,
/// items, alternatives, constants, references within the schema. Other keywords say nothing here.
struct SchemaCheck {
    private let schema: JSONText
    /// Bytes that may still be looked at: a schema may refer to itself, alternatives multiply, and each name is searched
    /// for from the beginning.
    private var budget = Self.maximumBytes

    static let maximumBytes = 64 << 20

    /// - Returns: nil when the value is valid; else what is wrong, and where.
    static func problem(with value: JSONText, by schema: JSONText) -> String? {
        var check = SchemaCheck(schema: schema)
        return check.problem(value, schema, at: "$", depth: 0).map { ChatFault.shortened($0, to: 512) }
    }

    private init(schema: JSONText) { self.schema = schema }

    private mutating func problem(_ value: JSONText, _ schema: JSONText, at path: String, depth: Int) -> String? {
        self.budget -= 64 + schema.count
        // Too much to look at is not the answer's fault.
        guard self.budget > 0, depth < 128 else { return nil }
        if schema.kind == .false { return "\(path) is not allowed" }
        guard schema.kind == .object else { return nil }
        if let reference = schema.string("$ref") {
            guard let target = self.target(of: reference) else { return nil }
            return self.problem(value, target, at: path, depth: depth + 1)
        }
        if let problem = Self.typeProblem(value, schema, at: path) { return problem }
        if let constant = schema.value("const"), !constant.isSame(as: value) { return "\(path) is not the constant" }
        if let list = schema.value("enum"), list.kind == .array {
            let (values, count) = list.elementTexts(atMost: 10_000)
            let isAllowed = count > values.count || values.contains { $0.isSame(as: value) }
            if !isAllowed { return "\(path) is none of the values that are allowed" }
        }
        if let problem = self.alternativesProblem(value, schema, at: path, depth: depth) { return problem }
        switch value.kind {
        case .object: return self.objectProblem(value, schema, at: path, depth: depth)
        case .array: return self.arrayProblem(value, schema, at: path, depth: depth)
        case .string, .number, .true, .false, .null: return nil
        }
    }

    /// What `#/$defs/name` points to.
    private func target(of reference: String) -> JSONText? {
        guard reference.hasPrefix("#") else { return nil }
        var target = self.schema
        for step in reference.dropFirst().split(separator: "/") {
            guard let name = PercentCoding.decode(String(step)),
                let span = target.member(named: Self.unescaped(name))
            else { return nil }
            target = target[span]
        }
        return target
    }

    /// `~1` stands for a slash, `~0` for a tilde (RFC 6901).
    private static func unescaped(_ name: String) -> String {
        name.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
            .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
    }

    private static func typeProblem(_ value: JSONText, _ schema: JSONText, at path: String) -> String? {
        guard let type = schema.value("type") else { return nil }
        let names = (type.kind == .array ? type.elementTexts : [type]).compactMap(\.string)
        guard !names.isEmpty, !names.contains(where: { Self.isType($0, value) }) else { return nil }
        return "\(path) is not of the type \(names.joined(separator: " or "))"
    }

    private static func isType(_ name: String, _ value: JSONText) -> Bool {
        switch name {
        case "object": value.kind == .object
        case "array": value.kind == .array
        case "string": value.kind == .string
        case "boolean": value.bool != nil
        case "null": value.isNull
        case "number": value.kind == .number
        case "integer": value.kind == .number && (value.int != nil || value.double.map { $0.rounded() == $0 } ?? false)
        default: true
        }
    }
}

// What is inside.
extension SchemaCheck {
    private mutating func alternativesProblem(
        _ value: JSONText, _ schema: JSONText, at path: String, depth: Int
    ) -> String? {
        for part in schema.value("allOf")?.elementTexts ?? [] {
            if let problem = self.problem(value, part, at: path, depth: depth + 1) { return problem }
        }
        for list in [schema.value("anyOf"), schema.value("oneOf")] {
            guard let parts = list?.elementTexts, !parts.isEmpty else { continue }
            var first: String?
            var isMet = false
            for part in parts where !isMet {
                let problem = self.problem(value, part, at: path, depth: depth + 1)
                isMet = problem == nil
                first = first ?? problem
            }
            if !isMet { return "\(path) fits none of the alternatives (\(first ?? ""))" }
        }
        return nil
    }

    private mutating func objectProblem(
        _ value: JSONText, _ schema: JSONText, at path: String, depth: Int
    ) -> String? {
        for name in schema.value("required")?.elementTexts.compactMap(\.string) ?? [] {
            self.budget -= value.count
            if self.budget > 0, value.member(named: name) == nil { return "\(path).\(name) is missing" }
        }
        let properties = schema.value("properties")
        let others = schema.value("additionalProperties")
        var members: [(name: String, value: JSONText)] = []
        value.members { key, span in if members.count < 10_000 { members.append((key.string, value[span])) } }
        for member in members {
            self.budget -= schema.count
            guard self.budget > 0 else { return nil }
            let place = "\(path).\(member.name)"
            if let properties, let span = properties.member(named: member.name) {
                if let problem = self.problem(member.value, properties[span], at: place, depth: depth + 1) {
                    return problem
                }
            } else if let others, let problem = self.problem(member.value, others, at: place, depth: depth + 1) {
                return problem
            }
        }
        return nil
    }

    private mutating func arrayProblem(
        _ value: JSONText, _ schema: JSONText, at path: String, depth: Int
    ) -> String? {
        guard let items = schema.value("items") else { return nil }
        for (index, element) in value.elementTexts.enumerated() {
            if let problem = self.problem(element, items, at: "\(path)[\(index)]", depth: depth + 1) { return problem }
        }
        return nil
    }
}

extension JSONText {
    /// Whether two values mean the same, as far as it is cheap to say: strings and numbers by what they stand for, the rest
    /// by its bytes.
    fileprivate func isSame(as other: JSONText) -> Bool {
        switch (self.kind, other.kind) {
        case (.string, .string): self.string == other.string
        case (.number, .number): self == other || self.double == other.double
        default: self.compact == other.compact
        }
    }
}

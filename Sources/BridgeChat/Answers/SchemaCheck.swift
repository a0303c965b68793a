import BridgeCore

/// Checks a value by a JSON schema, as far as the schemas that model APIs take for strict answers go: types, properties,
/// items, alternatives, constants, references within the schema. Other keywords say nothing here.
struct SchemaCheck {
    private var references: SchemaReferences
    /// Bytes that may still be looked at: a schema may refer to itself, alternatives multiply, and each name is searched
    /// for from the beginning.
    private var budget = Self.maximumBytes

    static let maximumBytes = 32 << 20
    /// Of a place, and of what is wrong there, in bytes: names are the model's own.
    private static let maximumWords = 512

    /// - Returns: nil when the value is valid; else what is wrong, and where.
    static func problem(with value: JSONText, by schema: JSONText) -> String? {
        var check = SchemaCheck(schema)
        return check.problem(value, schema, at: "$", depth: 0).map { Self.shortened($0) }
    }

    private init(_ schema: JSONText) { self.references = SchemaReferences(in: schema) }

    private static func shortened(_ text: String) -> String { ChatFault.shortened(text, to: Self.maximumWords) }

    private mutating func problem(_ value: JSONText, _ schema: JSONText, at path: String, depth: Int) -> String? {
        self.budget -= 64 + schema.count + value.count
        // Too much to look at is not the answer's fault.
        guard self.budget > 0, depth < 128 else { return nil }
        if schema.kind == .false { return "\(path) is not allowed" }
        guard schema.kind == .object else { return nil }
        if let reference = schema.string("$ref") {
            guard let target = self.references.target(of: reference, budget: &self.budget) else { return nil }
            return self.problem(value, target, at: path, depth: depth + 1)
        }
        if let problem = Self.typeProblem(value, schema, at: path) { return problem }
        if let problem = Self.constantProblem(value, schema, at: path) { return problem }
        if let problem = self.alternativesProblem(value, schema, at: path, depth: depth) { return problem }
        switch value.kind {
        case .object: return self.objectProblem(value, schema, at: path, depth: depth)
        case .array: return self.arrayProblem(value, schema, at: path, depth: depth)
        case .string, .number, .true, .false, .null: return nil
        }
    }

    private static func constantProblem(_ value: JSONText, _ schema: JSONText, at path: String) -> String? {
        let constant = schema.value("const")
        let list = schema.value("enum").flatMap { $0.kind == .array ? $0 : nil }
        guard constant != nil || list != nil else { return nil }
        let meaning = Meaning(value)
        if let constant, Meaning(constant) != meaning { return "\(path) is not the constant" }
        guard let list else { return nil }
        let (values, count) = list.elementTexts(atMost: 10_000)
        let isAllowed = count > values.count || values.contains { Meaning($0) == meaning }
        return isAllowed ? nil : "\(path) is none of the values that are allowed"
    }

    private static func typeProblem(_ value: JSONText, _ schema: JSONText, at path: String) -> String? {
        guard let type = schema.value("type") else { return nil }
        let names = (type.kind == .array ? type.elementTexts : [type]).compactMap(\.string)
        guard !names.isEmpty, !names.contains(where: { Self.isType($0, value) }) else { return nil }
        return Self.shortened("\(path) is not of the type \(names.joined(separator: " or "))")
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
            for part in parts where !isMet && self.budget > 0 {
                let problem = self.problem(value, part, at: path, depth: depth + 1)
                isMet = problem == nil
                first = first ?? problem
            }
            if !isMet, self.budget > 0 {
                return Self.shortened("\(path) fits none of the alternatives (\(first ?? ""))")
            }
        }
        return nil
    }

    private mutating func objectProblem(
        _ value: JSONText, _ schema: JSONText, at path: String, depth: Int
    ) -> String? {
        for name in schema.value("required")?.elementTexts.compactMap(\.string) ?? [] {
            self.budget -= value.count
            guard self.budget > 0 else { return nil }
            if value.member(named: name) == nil { return Self.shortened("\(path).\(name) is missing") }
        }
        let properties = schema.value("properties")
        let others = schema.value("additionalProperties")
        var members: [(name: String, value: JSONText)] = []
        value.members { key, span in if members.count < 10_000 { members.append((key.string, value[span])) } }
        for member in members {
            self.budget -= schema.count
            guard self.budget > 0 else { return nil }
            let place = Self.shortened("\(path).\(member.name)")
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
        for (index, element) in value.elementTexts.enumerated() where self.budget > 0 {
            if let problem = self.problem(element, items, at: Self.shortened("\(path)[\(index)]"), depth: depth + 1) {
                return problem
            }
        }
        return nil
    }
}

/// What a value stands for, as far as it is cheap to say: strings and numbers by what they mean, the rest by its bytes.
private enum Meaning: Equatable {
    case string(String)
    case number(Double)
    case other(JSONText)

    init(_ value: JSONText) {
        if let string = value.string {
            self = .string(string)
        } else if let number = value.double {
            self = .number(number)
        } else {
            self = .other(value.compact)
        }
    }
}

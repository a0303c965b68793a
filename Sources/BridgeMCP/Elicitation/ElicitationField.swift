package import BridgeCore

/// One property of a form: what a person is to fill in (client/elicitation, "Requested Schema").
package struct ElicitationField: Sendable, Hashable {
    package struct Choice: Sendable, Hashable {
        /// What is answered.
        package let value: JSONText
        /// What is shown.
        package let title: String
    }

    package enum Kind: Sendable, Hashable {
        /// Lengths count Unicode's code points, as JSON Schema does.
        case text(minimum: Int?, maximum: Int?, format: TextFormat?)
        case number(isWhole: Bool, minimum: JSONText?, maximum: JSONText?)
        case boolean
        case choice([Choice])
        case choices([Choice], minimum: Int?, maximum: Int?)
    }

    package let name: String
    package let title: String?
    package let description: String?
    package let kind: Kind
    package let isRequired: Bool
    /// What counts when nothing is filled in; nil also where the server's own default does not fit its schema.
    package private(set) var standard: JSONText?

    /// - Returns: `nil` when the property is of no kind that a form has.
    init?(_ name: String, _ schema: JSONText, isRequired: Bool) {
        let core = Self.withoutNull(schema)
        guard let kind = Self.kind(core) else { return nil }
        self.name = name
        self.title = schema.string("title") ?? core.string("title")
        self.description = schema.string("description") ?? core.string("description")
        self.kind = kind
        self.isRequired = isRequired
        self.standard = nil
        if let standard = schema.value("default") ?? core.value("default"), self.problem(with: standard) == nil {
            self.standard = standard
        }
    }

    /// How it is called where it is asked for.
    package var label: String {
        if let title, !title.isEmpty { return title }
        return self.name
    }
}

// What a schema says.
extension ElicitationField {
    /// The schema that is meant by one which allows null beside it: some libraries write optional properties so.
    private static func withoutNull(_ schema: JSONText) -> JSONText {
        guard schema.value("type") == nil, let parts = schema.value("anyOf") ?? schema.value("oneOf") else {
            return schema
        }
        var others: [JSONText] = []
        parts.elements { if parts[$0].string("type") != "null" { others.append(parts[$0]) } }
        return others.count == 1 && others[0].value("type") != nil ? others[0] : schema
    }

    private static func kind(_ schema: JSONText) -> Kind? {
        if let choices = Self.choices(of: schema) { return .choice(choices) }
        switch Self.type(of: schema) {
        case "string":
            return .text(
                minimum: schema.int("minLength"), maximum: schema.int("maxLength"),
                format: schema.string("format").flatMap { TextFormat(rawValue: $0) })
        case "number", "integer":
            let bound = { (key: StaticString) in schema.value(key).flatMap { $0.kind == .number ? $0 : nil } }
            return .number(
                isWhole: Self.type(of: schema) == "integer", minimum: bound("minimum"), maximum: bound("maximum"))
        case "boolean": return .boolean
        case "array":
            guard let items = schema.value("items"), let choices = Self.choices(of: items) else { return nil }
            return .choices(choices, minimum: schema.int("minItems"), maximum: schema.int("maxItems"))
        default: return nil
        }
    }

    /// `"string"`, or `["string", "null"]`.
    private static func type(of schema: JSONText) -> String? {
        guard let type = schema.value("type"), type.kind == .array else { return schema.string("type") }
        var names: [String] = []
        type.elements { if let name = type[$0].string, name != "null" { names.append(name) } }
        return names.count == 1 ? names[0] : nil
    }

    /// With titles as 2025-11-25 writes them (`oneOf`, of several `anyOf`), as older revisions do (`enumNames`), or
    /// without.
    private static func choices(of schema: JSONText) -> [Choice]? {
        var choices: [Choice] = []
        if let titled = schema.value("oneOf") ?? schema.value("anyOf"), titled.kind == .array {
            var isWhole = true
            titled.elements { span in
                guard let value = titled[span].value("const"), Self.isSingle(value) else { return isWhole = false }
                choices.append(Choice(value: value, title: titled[span].string("title") ?? Self.words(value)))
            }
            return isWhole && !choices.isEmpty ? choices : nil
        }
        guard let values = schema.value("enum"), values.kind == .array else { return nil }
        var names: [String?] = []
        if let titles = schema.value("enumNames") { titles.elements { names.append(titles[$0].string) } }
        values.elements { span in
            let value = values[span]
            guard Self.isSingle(value) else { return }
            let name = choices.count < names.count ? names[choices.count] : nil
            choices.append(Choice(value: value, title: name ?? Self.words(value)))
        }
        return choices.isEmpty ? nil : choices
    }

    private static func isSingle(_ value: JSONText) -> Bool {
        value.kind == .string || value.kind == .number || value.bool != nil
    }

    /// A value as a person would write it.
    static func words(_ value: JSONText) -> String { value.string ?? "\(value)" }
}

package import BridgeCore

/// What a person is asked to fill in: the properties of `requestedSchema`, in its order.
package struct ElicitationForm: Sendable, Hashable {
    package let fields: [ElicitationField]
    /// Properties that may be left out, and are, since no form has such.
    package let unknown: [String]

    package static let maximumFields = 200

    package init(_ schema: JSONText) throws(ElicitationProblem) {
        guard let properties = schema.value("properties"), properties.kind == .object else { throw .noSchema }
        var required: Set<String> = []
        if let names = schema.value("required") {
            names.elements { if let name = names[$0].string { required.insert(name) } }
        }
        var members: [(name: String, schema: JSONText)] = []
        properties.members { key, span in
            // Of one that is there twice the first counts.
            guard members.count <= Self.maximumFields, !members.contains(where: { $0.name == key.string }) else {
                return
            }
            members.append((key.string, properties[span]))
        }
        guard members.count <= Self.maximumFields else { throw .tooManyProperties(limit: Self.maximumFields) }
        var fields: [ElicitationField] = []
        var unknown: [String] = []
        for (name, property) in members {
            let isRequired = required.contains(name)
            if let field = ElicitationField(name, property, isRequired: isRequired) {
                fields.append(field)
            } else if isRequired {
                throw .unanswerable(property: name)
            } else {
                unknown.append(name)
            }
        }
        self.fields = fields
        self.unknown = unknown
    }
}

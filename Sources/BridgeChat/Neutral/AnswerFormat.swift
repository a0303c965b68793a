package import BridgeCore

/// What an answer's text must be.
package enum AnswerFormat: Sendable, Hashable {
    case text
    /// An object of JSON.
    case json
    /// JSON by a schema.
    case schema(Schema)

    package struct Schema: Sendable, Hashable {
        package var name: String?
        package var description: String?
        /// A JSON schema, as it was written.
        package var schema: JSONText
        /// Whether an answer that does not fit is no answer.
        package var isStrict: Bool

        package init(name: String? = nil, description: String? = nil, schema: JSONText, isStrict: Bool) {
            self.name = name
            self.description = description
            self.schema = schema
            self.isStrict = isStrict
        }
    }
}

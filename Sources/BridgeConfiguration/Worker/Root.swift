/// A root that an upstream is told of when it asks: a `file:` URI and a name for people.
package struct Root: Sendable, Hashable, Codable {
    package var uri: String
    package var name: String?

    package init(uri: String, name: String? = nil) {
        self.uri = uri
        self.name = name
    }
}

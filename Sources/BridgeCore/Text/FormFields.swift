/// Names and values as forms and queries write them (`application/x-www-form-urlencoded`).
package struct FormFields: Sendable, Equatable {
    /// In their order; a name may come more than once.
    package private(set) var all: [(name: String, value: String)]

    package init(_ fields: [(name: String, value: String)] = []) { self.all = fields }

    /// Reads `a=b&c=d`. What is no good escape stands for itself.
    package init(_ text: some StringProtocol) {
        self.all = text.split(separator: "&").map { field in
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decode(parts[0]), parts.count > 1 ? Self.decode(parts[1]) : "")
        }
    }

    /// Reads a query, or the query of a whole URL that somebody has pasted.
    package init(redirect text: String) {
        let trimmed = text.split { $0.isWhitespace || $0.isNewline }.joined()
        let query = trimmed.firstIndex(of: "?").map { trimmed[trimmed.index(after: $0)...] } ?? trimmed[...]
        self.init(query.prefix { $0 != "#" })
    }

    /// The first value of a name.
    package subscript(name: String) -> String? { self.all.first { $0.name == name }?.value }

    package mutating func add(_ name: String, _ value: String?) {
        if let value { self.all.append((name, value)) }
    }

    package mutating func set(_ name: String, _ value: String) {
        self.all.removeAll { $0.name == name }
        self.all.append((name, value))
    }

    package var text: String {
        self.all.map { "\(Self.encode($0.name))=\(Self.encode($0.value))" }.joined(separator: "&")
    }

    package static func encode(_ text: String) -> String {
        PercentCoding.encode(text) { PercentCoding.isUnreserved($0) || $0 == UInt8(ascii: " ") }
            .replacing(" ", with: "+")
    }

    private static func decode(_ text: some StringProtocol) -> String {
        let plain = String(text).replacing("+", with: " ")
        return PercentCoding.decode(plain) ?? plain
    }

    package static func == (left: FormFields, right: FormFields) -> Bool {
        left.all.elementsEqual(right.all) { $0 == $1 }
    }
}

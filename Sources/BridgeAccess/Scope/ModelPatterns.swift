import BridgeCore

/// Which models a token may ask for: names with `*` and `?`. An empty list is all of them.
package struct ModelPatterns: Sendable, Hashable {
    package let patterns: [String]

    package static let all = ModelPatterns([])

    package init(_ patterns: [String]) { self.patterns = patterns }

    /// Patterns with commas between them; spaces around them are ignored.
    package init(_ text: String) throws(AccessProblem) {
        self.patterns = try text.split(separator: ",", omittingEmptySubsequences: false)
            .map { (pattern) throws(AccessProblem) in
                let pattern = String(pattern.trimmed)
                guard !pattern.isEmpty else {
                    throw AccessProblem(
                        "A list of models is names or patterns with commas between them: gpt-*,claude-*.")
                }
                return pattern
            }
    }

    package var text: String { self.patterns.joined(separator: ",") }

    package func match(_ model: String) -> Bool {
        self.patterns.isEmpty || self.patterns.contains { Glob.matches(model, pattern: $0) }
    }
}

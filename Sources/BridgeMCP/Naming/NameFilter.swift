import BridgeCore

/// Which of an upstream's tools (prompts, resources) are shown, and under which names.
///
/// Patterns match the upstream's own names: `*` is any run of characters, `?` any one, the rest is literal and
/// case-sensitive. `deny` wins over `allow`; no `allow` at all allows everything.
package struct NameFilter: Sendable, Hashable, Codable {
    /// `nil`: everything. An empty list: nothing.
    package var allow: [String]?
    package var deny: [String]
    /// The upstream's own name to the name shown in its place (before the server's prefix).
    package var rename: [String: String]

    package init(allow: [String]? = nil, deny: [String] = [], rename: [String: String] = [:]) {
        self.allow = allow
        self.deny = deny
        self.rename = rename
    }

    /// Whether the filter changes anything.
    package var isEmpty: Bool { self.allow == nil && self.deny.isEmpty && self.rename.isEmpty }

    package func admits(_ name: String) -> Bool {
        if self.deny.contains(where: { Glob.matches(name, pattern: $0) }) { return false }
        guard let allow = self.allow else { return true }
        return allow.contains { Glob.matches(name, pattern: $0) }
    }

    /// Under what an entry of an offering is shown; `nil` when it is not shown at all.
    package func shown(_ own: String, of offering: Offering) -> String? {
        switch offering {
        case .resources: self.admits(uri: own) ? own : nil
        case .templates: self.admits(template: own) ? own : nil
        default: self.shownName(of: own)
        }
    }

    /// Whether a resource of this URI may be seen. Filters compare URIs in their one spelling; one that has none could be
    /// anything, and is kept back as soon as there is something to keep back.
    package func admits(uri: String) -> Bool {
        if self.deny.isEmpty, self.allow == nil { return true }
        guard let spellings = ResourceURI.spellings(uri) else { return false }
        let isMatched = { (spelling: String, patterns: [String]) in
            patterns.contains { Glob.matches(spelling, pattern: ResourceURI.normalised(pattern: $0)) }
        }
        if spellings.contains(where: { isMatched($0, self.deny) }) { return false }
        guard let allow = self.allow else { return true }
        return spellings.allSatisfy { isMatched($0, allow) }
    }

    /// The name shown for an upstream's own name; `nil` when it is not shown at all.
    package func shownName(of name: String) -> String? {
        guard self.admits(name) else { return nil }
        return self.rename[name] ?? name
    }
}

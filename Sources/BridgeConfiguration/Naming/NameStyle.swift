/// Which spelling of a tool's name lists show. Every tool answers to both.
package enum NameStyle: String, Sendable, Hashable, Codable, CaseIterable {
    /// `<server>.<tool>`.
    case dot
    /// `[A-Za-z0-9_-]{1,64}`, which model APIs demand.
    case safe
    /// `safe` for clients known to hand the names to a model API unchanged, `dot` for all others.
    case auto
}

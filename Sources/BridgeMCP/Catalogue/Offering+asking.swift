extension Offering {
    /// Whether a server is asked for its list even where it does not say that it has one. Servers forget to.
    package var isAskedForAnyway: Bool { self == .tools }
}

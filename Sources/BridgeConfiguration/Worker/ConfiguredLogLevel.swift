/// How much is logged: swift-log's levels under their own names, so that `Logger.Level(rawValue:)` takes ``rawValue``.
package enum ConfiguredLogLevel: String, Sendable, Hashable, Codable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical

    /// Reads a level as people write it: any case, and `warn`, `err`, `fatal` as other tools say.
    package init?(written text: String) {
        switch text.lowercased() {
        case "warn": self = .warning
        case "err": self = .error
        case "fatal", "crit": self = .critical
        case let other: self.init(rawValue: other)
        }
    }
}

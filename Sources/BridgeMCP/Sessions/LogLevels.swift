/// Which log level the upstreams are asked for, of all that the sessions want.
///
/// Pure. Nothing is asked for until a session has set a level. From then on it is the lowest of all sessions' levels, a
/// session that set none counting as `info`; and `info` when no session is left.
package struct LogLevels: Sendable, Equatable {
    package static let standard = LogSeverity.info

    /// Whether any session has ever set a level.
    package var wasSet = false
    /// Sessions in use that have set none.
    package var withoutLevel = 0

    package init() {}

    /// - Parameter lowest: of the levels that sessions have set.
    package func wanted(lowest: LogSeverity?) -> LogSeverity? {
        guard self.wasSet else { return nil }
        guard let lowest else { return Self.standard }
        return self.withoutLevel > 0 ? min(lowest, Self.standard) : lowest
    }
}

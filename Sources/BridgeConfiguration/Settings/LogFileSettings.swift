/// What is logged, and where to when it is a file.
package struct LogFileSettings: Sendable, Hashable {
    package var level: ConfiguredLogLevel = .info
    /// A rotating JSON-lines file; `nil` is the journal or stderr.
    package var path: String?
    /// The file is rotated before it grows beyond this.
    package var maximumBytes = 5_242_880
    /// Old files kept.
    package var backups = 5

    package init() {}
}

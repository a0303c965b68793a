/// A configuration file's content and where it came from.
package struct ConfigurationSource: Sendable, Hashable {
    /// As shown in diagnostics.
    package var name: String
    /// The absolute folder that relative paths in the file start from.
    package var directory: String
    package var bytes: [UInt8]

    package init(name: String, directory: String, bytes: [UInt8]) {
        self.name = name
        self.directory = directory
        self.bytes = bytes
    }
}

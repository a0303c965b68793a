import FoundationEssentials

/// The directories that systemd made for the service.
package enum SystemdDirectories {
    /// `RuntimeDirectory=`, where there is one; of several the first.
    package static func runtime(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> String? {
        environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first { $0.hasPrefix("/") }.map(String.init)
    }
}

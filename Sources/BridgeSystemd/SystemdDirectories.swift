import FoundationEssentials

/// The directories that systemd made for the service (`StateDirectory=` and its relatives), where there are any.
///
/// Of several the first counts.
package struct SystemdDirectories: Hashable, Sendable {
    package let state: String?
    package let runtime: String?
    package let cache: String?
    package let logs: String?
    package let configuration: String?

    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        func first(_ name: String) -> String? {
            environment[name]?.split(separator: ":").first { $0.hasPrefix("/") }.map(String.init)
        }
        self.state = first("STATE_DIRECTORY")
        self.runtime = first("RUNTIME_DIRECTORY")
        self.cache = first("CACHE_DIRECTORY")
        self.logs = first("LOGS_DIRECTORY")
        self.configuration = first("CONFIGURATION_DIRECTORY")
    }
}

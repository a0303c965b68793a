/// The environment that workers get: what libraries and logging need, and nothing that may hold a secret.
enum WorkerEnvironment {
    private static let names: Set<String> = [
        "HOME", "PATH", "LANG", "TZ", "TERM", "TMPDIR", "USER", "LOGNAME", "SHELL", "JOURNAL_STREAM", "NO_COLOR",
        "MCPTB_FORCE_COLOR", "MCPTB_NO_COLOR", "LD_LIBRARY_PATH", "SWIFT_BACKTRACE",
    ]
    private static let prefixes = ["LC_", "XDG_", "MCP_BRIDGE_LOG_"]

    static func make(from environment: [String: String]) -> [String: String] {
        environment.filter { name, _ in
            Self.names.contains(name) || Self.prefixes.contains { name.hasPrefix($0) }
        }
    }
}

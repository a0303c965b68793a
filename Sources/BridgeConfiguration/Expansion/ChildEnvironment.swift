/// What an upstream's child finds in its environment.
package enum ChildEnvironment {
    /// Where programs are looked for when the service itself has no `PATH`.
    package static let standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    package static let standardTerminal = "xterm-256color"

    /// Passed on from the service, and every `XDG_*` but one. Everything else stays here: credentials, tokens, systemd's
    /// variables, the bridge's own.
    private static let passedOn: Set<String> = [
        "HOME", "PATH", "TERM", "LANG", "USER", "LOGNAME", "SHELL", "TMPDIR",
    ]

    /// The way to the user's own sockets, ours among them: a server gets it only when its entry names it.
    private static let runtimeDirectory = "XDG_RUNTIME_DIR"

    /// The child's whole environment: what is passed on from the service, and over it the entry's own variables
    /// (of its `envFile` and its `env`).
    package static func make(
        service: [String: String],
        entry: [String: ConfiguredText],
        removing: Set<String> = []
    ) -> [String: Secret] {
        var environment: [String: Secret] = [
            "PATH": Secret(Self.standardPath), "TERM": Secret(Self.standardTerminal),
        ]
        for (name, value) in service where !value.isEmpty {
            guard Self.passedOn.contains(name) || (name.hasPrefix("XDG_") && name != Self.runtimeDirectory) else {
                continue
            }
            environment[name] = Secret(value)
        }
        for name in removing { environment[name] = nil }
        for (name, value) in entry { environment[name] = value.secret }
        return environment
    }
}

import BridgeFiles
import BridgeProcess
import Glibc
import Logging
import Synchronization

/// What systemd says of the service, asked without waking it.
struct SystemdQuery {
    enum Answer: Equatable {
        /// There is no systemd here, or it does not know the service.
        case unknown
        case active
        /// Not running; the word is systemd's: `inactive`, `failed`.
        case stopped(String)
    }

    /// `systemctl` answers in milliseconds, or D-Bus hangs.
    private static let patience = Duration.seconds(2)

    /// Asks `systemctl show`; anything odd about it is ``Answer/unknown``, no answer in two seconds too.
    static func ask(isUser: Bool) -> Answer {
        guard let systemctl = try? ExecutableLookup.find("systemctl", path: nil, workingDirectory: nil),
            let thread = try? ProcessThread.start(logger: Logger(label: "mcp-bridge.systemctl")),
            let pipe = try? Pipe.make()
        else { return .unknown }
        var specification = SpawnSpecification(
            executable: systemctl,
            arguments: (isUser ? ["--user"] : []) + [
                "show", "-P", "LoadState", "-P", "ActiveState", "mcp-bridge.service",
            ],
            environment: Self.environment(), descriptors: [-1, pipe.writing, -1]
        )
        specification.parentDeathSignal = SIGKILL
        let started = StartedProcess()
        thread.spawn(
            specification,
            onStart: { result in
                close(pipe.writing)
                started.id.withLock { $0 = try? result.get() }
            },
            onExit: { _ in }
        )
        defer { close(pipe.reading) }
        guard let output = try? DescriptorIO.readToEnd(pipe.reading, limit: 1 << 16, until: .now + Self.patience) else {
            if let process = started.id.withLock({ $0 }) { thread.signal(process, SIGKILL) }
            return .unknown
        }
        return Self.parse(String(decoding: output, as: UTF8.self))
    }

    private final class StartedProcess: Sendable {
        let id = Mutex<ProcessID?>(nil)
    }

    static func parse(_ output: String) -> Answer {
        let lines = output.split(separator: "\n").map(String.init)
        guard lines.count == 2, lines[0] == "loaded" else { return .unknown }
        switch lines[1] {
        case "active", "reloading", "activating", "deactivating": return .active
        default: return .stopped(lines[1])
        }
    }

    private static func environment() -> [String: String] {
        var kept: [String: String] = ["PATH": ExecutableLookup.standardPath]
        for name in ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "HOME", "LANG"] {
            if let value = getenv(name) { kept[name] = String(cString: value) }
        }
        return kept
    }
}

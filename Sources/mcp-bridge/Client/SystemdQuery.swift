import BridgeProcess
import Glibc
import Logging

/// What systemd says of the service, asked without waking it.
struct SystemdQuery {
    enum Answer: Equatable {
        /// There is no systemd here, or it does not know the service.
        case unknown
        case active
        /// Not running; the word is systemd's: `inactive`, `failed`.
        case stopped(String)
    }

    /// Asks `systemctl show`; anything odd about it is ``Answer/unknown``.
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
        thread.spawn(specification, onStart: { _ in close(pipe.writing) }, onExit: { _ in })
        defer { close(pipe.reading) }
        return Self.parse(Self.readAll(pipe.reading))
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

    private static func readAll(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 1 << 16 {
            let count = read(descriptor, &room, room.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += room[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

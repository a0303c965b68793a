package import Logging

/// What a worker process does.
package enum WorkerRole: Hashable, Sendable, CustomStringConvertible {
    case http
    case session
    case upstream(String)

    /// An upstream that fails again and again may rest for a minute; without the others nobody is served.
    var restartPolicy: RestartPolicy {
        switch self {
        case .http, .session: .essential
        case .upstream: RestartPolicy()
        }
    }

    /// As it stands on the worker's command line, after `worker`.
    package var arguments: [String] {
        switch self {
        case .http: ["http"]
        case .session: ["session"]
        case .upstream(let name): ["upstream", name]
        }
    }

    package var description: String {
        switch self {
        case .http: "http"
        case .session: "session"
        case .upstream(let name): "upstream@\(name)"
        }
    }

    /// What records about this worker carry: its role, and the upstream's name, so that the upstream's story is whole.
    package func metadata(_ more: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = more
        metadata["role"] = "\(self)"
        if case .upstream(let name) = self { metadata["mcp.upstream"] = "\(name)" }
        return metadata
    }
}

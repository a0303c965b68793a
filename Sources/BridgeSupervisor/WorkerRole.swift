/// What a worker process does.
package enum WorkerRole: Hashable, Sendable, CustomStringConvertible {
    case http
    case session
    case upstream(String)

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
}

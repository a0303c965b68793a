/// How an upstream is reached.
package enum TransportSettings: Sendable, Hashable {
    case stdio(StdioLaunch)
    case http(RemoteTarget)

    /// The word for it in status reports.
    package var kind: String {
        switch self {
        case .stdio: "stdio"
        case .http: "http"
        }
    }
}

/// Written as `{"stdio": {…}}` or `{"http": {…}}`.
extension TransportSettings: Codable {
    private enum CodingKeys: String, CodingKey { case stdio, http }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let launch = try container.decodeIfPresent(StdioLaunch.self, forKey: .stdio) {
            self = .stdio(launch)
        } else {
            self = .http(try container.decode(RemoteTarget.self, forKey: .http))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .stdio(let launch): try container.encode(launch, forKey: .stdio)
        case .http(let target): try container.encode(target, forKey: .http)
        }
    }
}

import BridgeConfiguration
import BridgeHTTPClient
import NIOCore
import NIOHTTP1

/// What the front on standard input and output was told.
struct StdioSettings {
    enum Place {
        case url(String)
        /// Looked for anew at each attempt: the service may have come elsewhere.
        case localSocket(environment: [String: String])
        /// Of the bridge whose front this is.
        case ownSocket(String)
    }

    let place: Place
    /// Shown with every request.
    var token: Secret?
    /// nil: as the bridge does it for this client.
    let names: Stdio.Names?
    /// How long a request may hear nothing.
    let silence: TimeAmount
    /// Whether that goes for calls of tools, too. By itself it does not: how long they may take is the bridge's to say.
    let isSilenceOfCalls: Bool
    var notes = StdioNotes.spoken
    /// The file in which the bridge keeps its lists.
    var warm: WarmLists.File?
    /// Whether the client answers requests for models, by its command's own word.
    var isSource = false
    /// How long answers are waited for when the client has closed its end.
    var farewell = Self.standardFarewell

    /// How long a request waits for a bridge that is away.
    static let patience = TimeAmount.seconds(10)
    /// How long `initialize` does where it can be answered without the bridge: as long as a restart takes.
    static let shortPatience = TimeAmount.seconds(3)
    /// Of the file of lists, in bytes.
    static let warmLimit = 32 << 20
    static let standardFarewell = TimeAmount.seconds(60)
    /// The same of a client that lends a model: programs that wait for it are to be told soon.
    static let sourceFarewell = TimeAmount.milliseconds(200)
    static let standardSilence: Int64 = 60_000

    var isLocal: Bool {
        switch self.place {
        case .url, .ownSocket: false
        case .localSocket: true
        }
    }

    /// What every request carries.
    var fields: HTTPHeaders {
        self.token.map { ["Authorization": "Bearer \($0.value)"] } ?? [:]
    }

    /// For people: as they would write it, without what an address may hold in confidence.
    var name: String {
        switch self.place {
        case .url(let url): HTTPAddress(url)?.description ?? "an address that cannot be read"
        case .localSocket(let environment): ClientPlaces.socket("http.sock", environment: environment)
        case .ownSocket(let path): path
        }
    }

    /// What to do when nobody is there.
    var advice: String {
        switch self.place {
        case .url: "Is it running? ('systemctl --user start mcp-bridge.service', or 'mcp-bridge serve')"
        case .localSocket(let environment):
            ClientPlaces.isMachines(ClientPlaces.socket("http.sock", environment: environment))
                ? "Start it: systemctl start mcp-bridge.service"
                : "Start it: systemctl --user start mcp-bridge.service (or 'mcp-bridge serve')"
        case .ownSocket: "Its log on standard error says why"
        }
    }

    /// Where the bridge of this place keeps its lists; nil where that cannot be known.
    static func warmFile(_ place: Place, _ environment: [String: String]) -> String? {
        let isAsked = environment["MCP_BRIDGE_TOOL_CACHE_PATH"]?.isEmpty == false
        switch place {
        case .url(let url):
            // Another machine's bridge keeps other lists.
            guard isAsked || Self.isOfThisMachine(url) else { return nil }
            return Self.toolCache(environment, isSystem: false)
        case .localSocket(let environment):
            let socket = ClientPlaces.socket("http.sock", environment: environment)
            return Self.toolCache(environment, isSystem: ClientPlaces.isMachines(socket) && !isAsked)
        case .ownSocket: return nil
        }
    }

    private static func toolCache(_ environment: [String: String], isSystem: Bool) -> String {
        StatePaths(environment: ServiceEnvironment.resembling(environment, isSystem: isSystem) { _ in }).toolCache
    }

    private static func isOfThisMachine(_ url: String) -> Bool {
        let rest = url.drop { $0 != ":" }.dropFirst(3)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        return ["127.0.0.1", "localhost", "[::1]"].contains { authority == $0 || authority.hasPrefix($0 + ":") }
    }

    /// - Parameter path: of MCP, where a socket has said so.
    func address(path: String = "/mcp") throws -> HTTPAddress? {
        switch self.place {
        case .url(let url): return HTTPAddress(self.named(url))
        case .localSocket(let environment):
            let socket = try ClientPlaces.trustedSocket("http.sock", environment: environment)
            return HTTPAddress(socket: socket, target: self.named(path))
        case .ownSocket(let socket): return HTTPAddress(socket: socket, target: self.named(path))
        }
    }

    /// Where a socket's service says where MCP is; nil for a URL, which says so itself.
    func rootAddress() throws -> HTTPAddress? {
        switch self.place {
        case .url: return nil
        case .localSocket(let environment):
            return HTTPAddress(socket: try ClientPlaces.trustedSocket("http.sock", environment: environment))
        case .ownSocket(let socket): return HTTPAddress(socket: socket)
        }
    }

    private func named(_ target: String) -> String {
        let said = [self.names.map { "names=\($0.rawValue)" }, self.isSource ? "source=yes" : nil].compactMap(\.self)
        guard !said.isEmpty else { return target }
        return target + (target.contains("?") ? "&" : "?") + said.joined(separator: "&")
    }
}

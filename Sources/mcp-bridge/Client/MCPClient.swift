import BridgeCore
import BridgeHTTPClient
import BridgeMCP
import NIOCore
import NIOHTTP1
import NIOPosix

/// An MCP session for the commands. Blocks its caller.
struct MCPClient {
    enum Endpoint {
        case url(String)
        case socket(path: String)
    }

    /// The service, or somebody before it, said no.
    struct RemoteError: Error, CustomStringConvertible {
        let description: String
    }

    private let connections: HTTPConnections
    private let session: NIOLoopBound<MCPSession>
    /// The endpoint as somebody would write it.
    private let place: String

    /// Opens a session.
    init(endpoint: Endpoint) throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var settings = HTTPConnectionSettings()
        // Who asks at a terminal does not wait longer.
        settings.connectTimeout = .seconds(10)
        let connections = HTTPConnections(on: loop, settings: settings)
        self.connections = connections
        do {
            let address: HTTPAddress?
            switch endpoint {
            case .url(let url):
                self.place = url
                address = HTTPAddress(url)
            case .socket(let path):
                self.place = path
                address = HTTPAddress(socket: path, target: Self.target(path, connections))
            }
            guard let address else { throw Self.nobody(at: self.place) }
            var destination = MCPDestination(address)
            // The service itself answers in time, whatever its servers do; this is for one that hangs.
            destination.limits.total = .hours(1)
            self.session = try loop.submit { [destination] in
                let client = (name: "mcp-bridge-cli", version: BridgeVersion.text)
                return NIOLoopBound(MCPSession(to: destination, over: connections, client: client), eventLoop: loop)
            }.wait()
            _ = try self.wait { $0.open() }
        } catch {
            try? connections.shutdown().wait()
            throw error
        }
    }

    /// Where the service says that it serves MCP; the usual place when it says nothing.
    private static func target(_ path: String, _ connections: HTTPConnections) -> String {
        guard let root = HTTPAddress(socket: path) else { return "/mcp" }
        let request = HTTPRequest(.GET, root, limits: TransferLimits(total: .seconds(10)))
        let reply = try? connections.loop.flatSubmit { connections.reply(to: request, maximumBody: 1 << 20) }.wait()
        guard let reply, let text = try? JSONText(validating: reply.body), let url = text.string("mcp") else {
            return "/mcp"
        }
        // http://host/path: what follows the host.
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count == 4 ? "/" + parts[3] : "/mcp"
    }

    func close() {
        let session = self.session
        try? self.connections.loop.flatSubmit { session.value.end() }.wait()
        try? self.connections.shutdown().wait()
    }

    /// Every page of an offering's list.
    func all(_ offering: Offering) throws -> [JSONText] {
        var entries: [JSONText] = []
        var cursor: String?
        var known: Set<String> = []
        repeat {
            let page = try self.request(
                offering.listMethod, JSONWriter.object { $0.member("cursor", ifPresent: cursor) })
            if let list = page.member(named: offering.name).map({ page[$0] }) {
                list.elements { entries.append(list[$0]) }
            }
            cursor = page.string("nextCursor")
        } while entries.count < 1_000_000 && (cursor.map { known.insert($0).inserted } ?? false)
        return entries
    }

    /// Sends a request and returns its result.
    func request(_ method: String, _ params: JSONText) throws -> JSONText {
        try self.wait { $0.request(method, params) }
    }

    private func wait(_ ask: @escaping @Sendable (MCPSession) -> EventLoopFuture<JSONText>) throws -> JSONText {
        let session = self.session
        do {
            return try self.connections.loop.flatSubmit { ask(session.value) }.wait()
        } catch let refusal as MCPSession.Refusal {
            throw RemoteError(description: Self.text(refusal))
        } catch let failure as HTTPFailure {
            throw Self.error(failure, at: self.place)
        }
    }
}

extension MCPClient {
    private static func text(_ refusal: MCPSession.Refusal) -> String {
        switch refusal {
        case .status(let status): "the service answered \(status)"
        case .noAnswer: "the service gave no answer"
        case .error(let code, let message): "\(message ?? "the service gave no result") (\(code ?? 0))"
        }
    }

    /// A service that is there and answers oddly is told by what it did.
    private static func error(_ failure: HTTPFailure, at place: String) -> RemoteError {
        switch failure.reason {
        case .redirectedAway, .redirectedOtherwise, .redirectedTooOften, .tooLarge, .unknownEncoding:
            RemoteError(description: "\(failure)")
        case .unreachable, .slowConnection, .closed, .silent, .late, .malformed, .badRequest, .shutDown:
            Self.nobody(at: place)
        }
    }

    private static func nobody(at place: String) -> RemoteError {
        RemoteError(
            description:
                "no service answers on \(place). Is it running? ('systemctl status mcp-bridge', or 'mcp-bridge serve')"
        )
    }
}

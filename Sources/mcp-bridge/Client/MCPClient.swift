import BridgeConfiguration
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
    /// Kept for the session, which does not keep it.
    private let ear: NIOLoopBound<CallEar>?
    /// The endpoint as somebody would write it.
    private let place: String

    /// Opens a session.
    ///
    /// - Parameters:
    ///   - token: shown with every request.
    ///   - inbox: where a server's questions to a person go; without one the client says that nobody can be asked.
    init(endpoint: Endpoint, token: Secret? = nil, asking inbox: CallInbox? = nil) throws {
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
            if let token { destination.headers.add(name: "Authorization", value: "Bearer \(token.value)") }
            // The service itself answers in time, whatever its servers do; this is for one that hangs.
            destination.limits.total = .hours(1)
            self.session = try loop.submit { [destination] in
                let client = (name: "mcp-bridge-cli", version: BridgeVersion.text)
                return NIOLoopBound(MCPSession(to: destination, over: connections, client: client), eventLoop: loop)
            }.wait()
            self.ear = try inbox.map { inbox in
                try loop.submit { NIOLoopBound(CallEar(inbox), eventLoop: loop) }.wait()
            }
            let ear = self.ear
            _ = try self.wait { session in
                session.delegate = ear?.value
                return session.open(capabilities: ear == nil ? .emptyObject : Self.asking)
            }
            if ear != nil { try self.wait { $0.listen() } }
        } catch {
            try? connections.shutdown().wait()
            throw error
        }
    }

    /// What is declared when a person can be asked.
    private static let asking = JSONText(literal: #"{"elicitation":{"form":{},"url":{}}}"#)

    /// Where the service says that it serves MCP; the usual place when it says nothing.
    private static func target(_ path: String, _ connections: HTTPConnections) -> String {
        guard let root = HTTPAddress(socket: path) else { return "/mcp" }
        let request = HTTPRequest(.GET, root, limits: TransferLimits(total: .seconds(10)))
        let reply = try? connections.loop.flatSubmit { connections.reply(to: request, maximumBody: 1 << 20) }.wait()
        return reply.map { ServicePath.mcp(in: $0) } ?? "/mcp"
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

    private func wait<Value: Sendable>(
        _ ask: @escaping @Sendable (MCPSession) -> EventLoopFuture<Value>
    ) throws -> Value {
        let session = self.session
        do {
            return try self.connections.loop.flatSubmit { ask(session.value) }.wait()
        } catch {
            throw Self.told(error, at: self.place)
        }
    }

    private func wait<Value: Sendable>(_ act: @escaping @Sendable (MCPSession) -> Value) throws -> Value {
        let session = self.session
        return try self.connections.loop.submit { act(session.value) }.wait()
    }
}

// A request that is not waited for here.
extension MCPClient {
    /// Sends a request, whose result or error goes to the inbox.
    ///
    /// - Returns: its id.
    func begin(_ method: String, _ params: JSONText, _ inbox: CallInbox) throws -> Int {
        let place = self.place
        return try self.wait { session in
            let (id, result) = session.begin(method, params)
            result.whenComplete { outcome in inbox.add(.ended(outcome.mapError { Self.told($0, at: place) })) }
            return id
        }
    }

    /// Tells the server that nobody waits for a request any more, and waits a moment for it to hear.
    func cancel(_ id: Int) {
        let loop = self.connections.loop
        let session = self.session
        let told = loop.flatSubmit {
            let params = JSONWriter.object { $0.member("requestId", id) }
            let told = session.value.notify("notifications/cancelled", params)
            let done = loop.makePromise(of: Void.self)
            told.whenComplete { _ in done.succeed() }
            let timer = loop.scheduleTask(in: .seconds(2)) { done.succeed() }
            return done.futureResult.always { _ in timer.cancel() }
        }
        try? told.wait()
    }

    /// Answers a question. What goes wrong on the way goes to the inbox.
    func answer(_ id: RPCID, with result: JSONText, _ inbox: CallInbox) {
        let session = self.session
        let place = self.place
        self.connections.loop.execute {
            session.value.answer(id, with: result).whenFailure {
                inbox.add(.undelivered("\(Self.told($0, at: place))"))
            }
        }
    }

    /// Answers a question with an error.
    func refuse(_ id: RPCID, code: Int, _ message: String) {
        let session = self.session
        self.connections.loop.execute { _ = session.value.refuse(id, code: code, message) }
    }
}

extension MCPClient {
    /// An error as it is told at a terminal.
    private static func told(_ error: any Error, at place: String) -> any Error {
        switch error {
        case let refusal as MCPSession.Refusal: RemoteError(description: Self.text(refusal))
        case let failure as HTTPFailure: Self.error(failure, at: place)
        default: error
        }
    }

    private static func text(_ refusal: MCPSession.Refusal) -> String {
        switch refusal {
        case .status(let status): return "the service answered \(status)"
        case .noAnswer: return "the service gave no answer"
        case .error(let code, let message, let data):
            let words = "\(message ?? "the service gave no result") (\(code ?? 0))"
            return ([words] + (code == -32042 ? Self.pages(in: data) : [])).joined(separator: "\n")
        }
    }

    /// The pages that have to be opened before a call can be made (client/elicitation, "URL Elicitation Required Error").
    private static func pages(in data: JSONText?) -> [String] {
        guard let list = data?.value("elicitations") else { return [] }
        var lines: [String] = []
        list.elements { span in
            guard let page = list[span].string("url").flatMap({ ElicitationPage($0) }) else { return }
            lines += PrintableText.lines(list[span].string("message") ?? "").map { "  | \($0)" }
            lines += ["  Open this page in a browser, and call again:", "    \(page.address)", "  Host: \(page.host)"]
            lines += page.warnings.map { "  Careful: \($0)" }
        }
        return lines
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

import AsyncHTTPClient
import BridgeCore
import BridgeMCP
import NIOCore
import NIOHTTP1

/// A small MCP client over Streamable HTTP, for the commands. Blocks its caller.
final class MCPClient {
    enum Endpoint {
        case url(String)
        case socket(path: String)
    }

    /// The service, or somebody before it, said no.
    struct RemoteError: Error, CustomStringConvertible {
        let description: String
    }

    private static let revision = ProtocolRevision.newest

    private let http: HTTPClient
    private let url: String
    /// The endpoint as somebody would write it.
    private let place: String
    private var session: String?
    private var nextID = 0

    /// Opens a session.
    init(endpoint: Endpoint) throws {
        var configuration = HTTPClient.Configuration()
        // Who asks at a terminal wants to know at once that nobody answers.
        configuration.connectionPool.retryConnectionEstablishment = false
        self.http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        switch endpoint {
        case .url(let url):
            self.url = url
            self.place = url
        case .socket(let path):
            self.place = path
            let host = path.utf8.map { byte in
                let isPlain = (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
                return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
            let base = "http+unix://\(host.joined())"
            self.url = base + Self.target(base, self.http)
        }
        do {
            _ = try self.request(
                "initialize",
                JSONWriter.object { params in
                    params.member("protocolVersion", Self.revision.name)
                    params.memberObject("capabilities") { _ in }
                    params.memberObject("clientInfo") {
                        $0.member("name", "mcp-bridge-cli")
                        $0.member("version", BridgeVersion.text)
                    }
                }
            )
            _ = try self.post(JSONText(literal: #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#))
        } catch {
            self.close()
            throw error
        }
    }

    /// Where the service says that it serves MCP; the usual place when it says nothing.
    private static func target(_ base: String, _ http: HTTPClient) -> String {
        guard var request = try? HTTPClient.Request(url: base + "/") else { return "/mcp" }
        request.headers.replaceOrAdd(name: "Host", value: "localhost")
        guard let body = try? http.execute(request: request, deadline: .now() + .seconds(10)).wait().body,
            let root = try? JSONText(validating: body), let url = root.string("mcp")
        else { return "/mcp" }
        // http://host/path: what follows the host.
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count == 4 ? "/" + parts[3] : "/mcp"
    }

    func close() {
        if let session = self.session {
            var request = try? HTTPClient.Request(url: self.url, method: .DELETE)
            request?.headers.add(name: "Mcp-Session-Id", value: session)
            if let request { _ = try? self.http.execute(request: request, deadline: .now() + .seconds(5)).wait() }
            self.session = nil
        }
        try? self.http.syncShutdown()
    }

    /// Every page of `tools/list`.
    func allTools() throws -> [JSONText] {
        var tools: [JSONText] = []
        var cursor: String?
        repeat {
            let page = try self.request("tools/list", JSONWriter.object { $0.member("cursor", ifPresent: cursor) })
            if let list = page.value("tools") { list.elements { tools.append(list[$0]) } }
            cursor = page.string("nextCursor")
        } while cursor != nil && tools.count < 1_000_000
        return tools
    }

    /// Sends a request and returns its result.
    func request(_ method: String, _ params: JSONText) throws -> JSONText {
        self.nextID += 1
        let message = JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("id", self.nextID)
            message.member("method", method)
            message.member("params", params)
        }
        guard let reply = try self.post(message) else { throw RemoteError(description: "the service gave no answer") }
        if let result = reply.value("result") { return result }
        let error = reply.value("error")
        throw RemoteError(
            description: "\(error?.string("message") ?? "the service gave no result") (\(error?.int("code") ?? 0))"
        )
    }

    /// - Returns: the JSON-RPC reply, from a plain answer or from a stream of events; nil when there is none.
    private func post(_ message: JSONText) throws -> JSONText? {
        var request = try HTTPClient.Request(url: self.url, method: .POST, body: .byteBuffer(message.bytes))
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "Accept", value: "application/json, text/event-stream")
        request.headers.replaceOrAdd(name: "Host", value: "localhost")
        if let session = self.session {
            request.headers.add(name: "Mcp-Session-Id", value: session)
            request.headers.add(name: "MCP-Protocol-Version", value: Self.revision.name)
        }
        let response: HTTPClient.Response
        do {
            // The service itself answers in time, whatever its servers do; this is for one that hangs.
            response = try self.http.execute(request: request, deadline: .now() + .hours(1)).wait()
        } catch {
            throw RemoteError(
                description:
                    "no service answers on \(self.place). Is it running? ('systemctl status mcp-bridge', or 'mcp-bridge serve')"
            )
        }
        if let session = response.headers.first(name: "Mcp-Session-Id") { self.session = session }
        guard let body = response.body, body.readableBytes > 0 else {
            if response.status.code < 300 { return nil }
            throw RemoteError(description: "the service answered \(response.status)")
        }
        let isStream = response.headers.first(name: "Content-Type")?.hasPrefix("text/event-stream") ?? false
        return isStream ? Self.lastReply(in: body) : try JSONText(validating: body)
    }

    /// The response among the events of a stream.
    private static func lastReply(in body: ByteBuffer) -> JSONText? {
        var reply: JSONText?
        for event in String(buffer: body).split(separator: "\n\n", omittingEmptySubsequences: true) {
            let data = event.split(separator: "\n").filter { $0.hasPrefix("data:") }
                .map { $0.dropFirst(5).drop { $0 == " " } }.joined(separator: "\n")
            guard let text = try? JSONText(validating: ByteBuffer(string: data)) else { continue }
            if text.member("result") != nil || text.member("error") != nil { reply = text }
        }
        return reply
    }
}

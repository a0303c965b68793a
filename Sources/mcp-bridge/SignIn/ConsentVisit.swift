import BridgeConfiguration
import BridgeCore
import BridgeHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix

/// Walks through an owner's consent page in a browser's place. Blocks its caller.
struct ConsentVisit {
    /// Why a person has to do it.
    struct GivenUp: Error, CustomStringConvertible { let description: String }

    private static let limits = TransferLimits(total: .seconds(15))

    /// - Returns: what the browser would have come back with.
    static func walk(_ invitation: SignInInvitation, password: Secret) throws -> String {
        let connections = HTTPConnections(on: MultiThreadedEventLoopGroup.singleton.next())
        defer { try? connections.shutdown().wait() }
        var path = ConsentPath(issuer: invitation.issuer, redirect: invitation.redirect ?? "")
        var step = path.begin(at: invitation.url)
        while true {
            let reply: HTTPReply
            switch step {
            case .back(let query): return query
            case .giveUp(let why): throw GivenUp(description: why)
            case .get(let address): reply = try Self.ask(HTTPRequest(.GET, address, limits: Self.limits), connections)
            case .fill(let address, let transaction):
                var form = FormFields()
                form.add("txn", transaction)
                form.add("password", password.value)
                let fields: HTTPHeaders = ["Content-Type": "application/x-www-form-urlencoded"]
                reply = try Self.ask(
                    HTTPRequest(
                        .POST, address.withoutQuery ?? address, headers: fields, body: ByteBuffer(string: form.text),
                        limits: Self.limits), connections)
            }
            step = path.answered(
                status: Int(reply.head.status.code), location: reply.head.headers.first(name: "Location"))
        }
    }

    private static func ask(_ request: HTTPRequest, _ connections: HTTPConnections) throws -> HTTPReply {
        var request = request
        request.mostRedirects = 0
        let asked = request
        do {
            return try connections.loop.flatSubmit { connections.reply(to: asked, maximumBody: 1 << 20) }.wait()
        } catch {
            throw GivenUp(description: "\(error)")
        }
    }
}

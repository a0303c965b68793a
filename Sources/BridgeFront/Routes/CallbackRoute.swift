import BridgeConfiguration
import BridgeCore
import HTTPTypes
import Hummingbird
import NIOCore

/// Where a browser comes back to from the sign-in page of an upstream: `GET /oauth/callback`, and `/callback` on the receiver
/// that is open meanwhile.
///
/// What came is handed on to the upstream's worker, which knows whether anybody has asked for it. The page says in words what
/// came of it, and holds nothing of what was sent.
enum CallbackRoute {
    static let path = SignInPlace.frontPath
    static let receiverPath = SignInPlace.path

    /// The worker asks the authorization server for tokens, which may take its time.
    private static let patience = TimeAmount.seconds(90)

    static func receive(_ request: Request, _ context: FrontContext) async throws -> Response {
        guard context.connection.value.door == .receiver else { throw Refusal.notFound }
        return try await Self.take(request, context)
    }

    static func take(_ request: Request, _ context: FrontContext) async throws -> Response {
        let query = request.uri.query ?? ""
        // A program that only looks whether a page is there must not use up the answer.
        guard request.method == .get else { return Self.page("mcp-bridge", "", isDone: true) }
        guard !query.isEmpty else {
            return Self.page("Nothing was sent", "This is where a browser comes back to from a sign-in.", isDone: false)
        }
        let answer: (status: Int, body: ByteBuffer)
        do {
            let asked = ControlRequest.oauth(name: "", .redirect(query: query))
            answer = try await ControlCall.ask(asked, within: Self.patience, context)
        } catch let refusal as Refusal {
            return Self.page("The sign-in is not finished", refusal.message, isDone: false)
        }
        guard let told = OAuthAnswer(JSONText(trusting: answer.body)) else {
            return Self.page("The sign-in is not finished", "The service did not say why.", isDone: false)
        }
        return told.isDone
            ? Self.page("Signed in", told.text + " This page can be closed.", isDone: true)
            : Self.page("Not signed in", told.text, isDone: false)
    }

    private static func page(_ title: String, _ text: String, isDone: Bool) -> Response {
        let html = """
            <!doctype html><html lang="en"><head><meta charset="utf-8"><title>\(Self.escaped(title))</title>\
            <meta name="viewport" content="width=device-width, initial-scale=1"></head>\
            <body><main><h1>\(Self.escaped(title))</h1><p>\(Self.escaped(text))</p></main></body></html>

            """
        var fields = HTTPFields()
        fields[.contentType] = "text/html; charset=utf-8"
        fields[.cacheControl] = "no-store"
        for (name, value) in Self.guards { if let name = HTTPField.Name(name) { fields[name] = value } }
        return Response(
            status: isDone ? .ok : .badRequest, headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    }

    /// The address has the code in it: nobody is told of it, and nothing runs beside it.
    private static let guards = [
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
        ("Referrer-Policy", "no-referrer"), ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
    ]

    /// What a server says is somebody else's text.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
